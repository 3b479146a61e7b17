"""What falls due by dates alone or by coming in mid-way, from their files; and the rules that the clock looks at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, get_args

from service.domain.debts import PACK, DebtRule, DebtRules
from service.domain.obligations import ROLES_OF_PROVIDER, HouseRules, Watch, comes_back
from service.domain.obligations.rules import Watched
from service.domain.requirements import Obligation, Source
from service.domain.requirements.model import MARKS
from service.storage.packs import Fault, FaultyPack, read_obligation, shipped_packs

FILE, DEBTS = "house-1.json", "adoption-1.json"


@cache
def house_rules() -> HouseRules:
    """The rules of the house. Raises FaultyPack."""
    text = (resources.files("service.data") / "duties" / FILE).read_text(encoding="utf-8")
    said = json.loads(text)
    pin = f"{said['key']}@{said['version']}"
    checks = tuple(read_obligation(FILE, c, pin) for c in said["checks"])
    if any(c.due is None or c.due.unit == "working_days" for c in checks):
        raise FaultyPack(
            FILE, [Fault("", "checks", "pack_value_unknown", "what comes back does so after days or years")]
        )
    return HouseRules(
        pin=pin,
        watches=tuple(_watch(w, pin) for w in said["watches"]),
        checks=checks,
    )


def _watch(row: dict[str, Any], pin: str) -> Watch:
    known = {"key", "title", "watches", "items", "opens_days", "due_days", "providers", "source", "evidence"}
    if not set(row) <= known or row["watches"] not in get_args(Watched) or row["evidence"] not in MARKS:
        raise FaultyPack(FILE, [Fault("", row["key"], "pack_value_unknown", "an unknown field or code")])
    if not set(row["providers"]) <= set(ROLES_OF_PROVIDER) or row["opens_days"] < row["due_days"]:
        problem = "an unknown provider, or due before it opens"
        raise FaultyPack(FILE, [Fault("", row["key"], "pack_value_unknown", problem)])
    return Watch(
        key=row["key"],
        title=row["title"],
        watches=row["watches"],
        items=tuple(row.get("items", ())),
        opens_days=row["opens_days"],
        due_days=row["due_days"],
        providers=tuple(row["providers"]),
        source=Source(row["source"], None, None, row["evidence"], pin),
    )


@cache
def debt_rules() -> DebtRules:
    """Until when whoever came in mid-way owes what. Raises FaultyPack."""
    said = json.loads((resources.files("service.data") / "duties" / DEBTS).read_text(encoding="utf-8"))
    pin = f"{said['key']}@{said['version']}"
    source = Source(said["source"], None, None, said["evidence"], pin)

    def rule(row: dict[str, Any]) -> DebtRule:
        if row["days"] < 1 or not set(row["providers"]) <= set(ROLES_OF_PROVIDER):
            raise FaultyPack(DEBTS, [Fault("", row["key"], "pack_value_unknown", "no days, or an unknown provider")])
        return DebtRule(
            key=row["key"], title=row["title"], days=row["days"], providers=tuple(row["providers"]), source=source
        )

    return DebtRules(pin=pin, rules={r["key"]: rule(r) for r in said["debts"]}, requirement=rule(said["requirement"]))


@cache
def periodic_rows() -> tuple[tuple[str, Obligation], ...]:
    """Everything that comes back, with the pin of who says so."""
    packs = [(p.pin, o) for p in shipped_packs() for o in p.obligations if comes_back(o)]
    return (*packs, *((house_rules().pin, c) for c in house_rules().checks))


@cache
def about(pin: str, rule: str) -> dict[str, Any]:
    """The title of a rule and where it was read; a pin that is no longer there says nothing."""
    if pin.startswith(f"{PACK}@"):
        return _about_debt(rule)
    house = house_rules()
    rows: list[Any] = [o for p in shipped_packs() if p.pin == pin for o in p.obligations]
    rows += [*house.watches, *house.checks] if pin == house.pin else []
    row = next((r for r in rows if r.key == rule), None)
    if row is None:
        return {"title": rule, "source": None}
    return {"title": row.title, "source": _told(row.source)}


def _about_debt(rule: str) -> dict[str, Any]:
    """What a debt is called: by its guard, or by the row of the newest pack that asks for it."""
    rules = debt_rules()
    rows = [r for p in shipped_packs() for r in p.requirements if r.key == rule]
    known = rules.rules.get(rule)
    title = known.title if known else rows[-1].title if rows else rule
    return {"title": title, "source": _told((known or rules.requirement).source)}


def _told(s: Source) -> dict[str, Any]:
    return {"text": s.text, "url": s.url, "checked_on": _iso(s.checked_on), "evidence": s.evidence, "pack": s.pack}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def countries(rows: Iterable[tuple[str, Obligation]]) -> frozenset[str]:
    """The countries whose working days some rows count."""
    return frozenset(o.due.calendar for _, o in rows if o.due and o.due.calendar)
