"""Targets: what their rules may know, and how they are read."""

from __future__ import annotations

from service.domain.targets import NewTarget, TargetDossier
from service.storage.opening import ITSELF, FactsOf
from service.storage.tables.targets import targets
from service.storage.views import View, among

_t = targets
_own = {name: _t.c[name] for name in ("year", "destination", "number")}

FACTS: FactsOf[TargetDossier] = FactsOf(_t, TargetDossier, _own, stream="institution_id")
NEW_FACTS: FactsOf[NewTarget] = FactsOf(ITSELF, NewTarget, {}, stream="id", birth=True)
VIEW = View(
    _t,
    {name: _t.c[name] for name in ("id", "version", "state", "since_on")} | _own,
    filters={"state": among(_t.c.state), "year": among(_t.c.year), "destination": among(_t.c.destination)},
)
