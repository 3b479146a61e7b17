"""What counts of memberships: conditions that are met and not, who is at risk, and hours in an enterprise."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.actions.reading import item as read_item
from service.actions.reading import page, records
from service.actions.work import Call, Missing, Services
from service.domain.completion import Assessed, attendance, attendance_percent, conditions, score, unmet
from service.domain.prospects import Ahead, at_risk, hours_to_miss
from service.storage import training as stored

SCANNED = 200
"""Memberships that one page of those at risk looks at."""


def _assessed(a: Assessed) -> dict[str, Any]:
    return {
        "name": a.name,
        "max_mark": a.max_mark,
        "pass_mark": a.pass_mark,
        "weight": a.weight,
        "required": a.required,
        "mark": a.reached,
        "passed": a.passed,
        "parts": [_assessed(p) for p in a.parts],
    }


def _explained(row: dict[str, Any]) -> dict[str, Any]:
    achieved = stored.read_achieved(row)
    counted, attended = attendance(achieved)
    return {
        "id": row["id"],
        "attempt": row["attempt"],
        "met": not unmet(achieved),
        "unmet": unmet(achieved),
        "rules": conditions(achieved),
        "hours_counted": counted,
        "hours_attended": attended,
        "attendance_percent": attendance_percent(achieved),
        "min_attendance_percent": achieved.min_attendance_percent,
        "assessments": [_assessed(a) for a in achieved.assessed],
        "score": score(achieved),
        "enterprise_hours_required": achieved.hours_required,
        "enterprise_hours_confirmed": achieved.hours_confirmed,
    }


async def completion(services: Services, call: Call, membership: UUID) -> dict[str, Any]:
    """What counts of a membership so far, and each condition, met or not.

    Raises:
        Missing: it is not there, or not seen.
    """
    return _explained(await read_item(services, call, stored.COMPLETION, "memberships.read", membership))


async def completions(services: Services, call: Call, memberships: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The same of many, by membership, in one read."""
    found = await page(
        services, call, stored.COMPLETION, "memberships.read", filters={"ids": list(memberships)},
        limit=len(memberships),
    )  # fmt: skip
    return {row["id"]: _explained(row) for row in found.items}


stored.COMPLETION.keeps("ids", "may_fail", "class_id")


def _ahead(row: dict[str, Any]) -> Ahead:
    named = ("today", "starts_on", "ends_on", "hours_left", "resits_until")
    return Ahead(**{name: row[name] for name in named})


async def those_at_risk(
    services: Services,
    call: Call,
    *,
    class_id: UUID | None,
    margin: Decimal | None,
    after: UUID | None,
    limit: int,
) -> tuple[list[dict[str, Any]], UUID | None]:
    """Who attends and is at risk, or failed and may still resit, with every reason; and after whom the next page comes.

    A page looks at no more than so many memberships, and may be short, or empty, where few of them are at risk.
    """
    filters: dict[str, Any] = {"may_fail": True} | ({"class_id": class_id} if class_id else {})
    found = await page(
        services, call, stored.COMPLETION, "memberships.read", filters=filters, limit=SCANNED, after=after
    )
    items: list[dict[str, Any]] = []
    for row in found.items:
        achieved, ahead = stored.read_achieved(row), _ahead(row)
        reasons = at_risk(achieved, ahead, margin)
        if not reasons:
            continue
        if len(items) == limit:
            return items, items[-1]["membership_id"]
        counted, attended = attendance(achieved)
        items.append(
            {
                "membership_id": row["id"],
                "person_id": row["person_id"],
                "class_id": row["class_id"],
                "state": row["state"],
                "hours_counted": counted,
                "hours_attended": attended,
                "attendance_percent": attendance_percent(achieved),
                "min_attendance_percent": achieved.min_attendance_percent,
                "hours_left": ahead.hours_left,
                "hours_to_miss": hours_to_miss(achieved, ahead.hours_left),
                "reasons": reasons,
            }
        )
    return items, found.next


async def enterprise_hours(services: Services, call: Call, class_id: UUID) -> list[dict[str, Any]]:
    """Who attends a class, by membership, with the hours confirmed of each.

    Raises:
        Missing: the class is not there, or not seen.
    """
    _, found = await records(services, call, stored.hours_of(call.eyes), "classes.read", by_id=class_id)
    if found[0]["class_id"] is None:
        raise Missing
    names = ("membership_id", "hours", "name_native", "name_latin")
    return [{n: r[n] for n in names} for r in found if r["membership_id"] is not None]
