"""What the moves of a target leave behind."""

from __future__ import annotations

from typing import Any

from service.actions.work import Item, Subject, Work
from service.domain.lifecycle import Given, Step
from service.domain.targets import TARGET, NewTarget, TargetDossier
from service.storage import targets
from service.storage.tables import targets as tables


def set_(_work: Work, _item: Item[NewTarget], _step: Step, given: Given) -> dict[str, Any]:
    """So many for that year and destination."""
    said = {name: given[name] for name in ("year", "destination", "number")}
    return said | {"event_data": said}


def edit(_work: Work, item: Item[TargetDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Another number; what it was stands in the event, as does all that a report needs to read it."""
    d = item.dossier
    number = given["number"]
    return {
        "number": number,
        "event_data": {"year": d.year, "destination": d.destination, "number": number, "before": d.number},
    }


SUBJECT: Subject[Any] = Subject(
    "targets",
    TARGET,
    tables.targets,
    targets.FACTS,
    births={"set": targets.NEW_FACTS},
    effects={"set": set_, "edit": edit},
)
