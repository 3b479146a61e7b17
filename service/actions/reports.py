"""The report of a year: frozen with its hash, rebuilt from the record, opened to its rows, held against today."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from service.actions.reading import check, item, records
from service.actions.work import Answer, Call, Done, Item, Missing, Services, Subject, Wanted, Work, perform
from service.domain.actors import Actor
from service.domain.lifecycle import NEW, Given, Step
from service.domain.permissions import may
from service.domain.reports import (
    REPORT,
    Cut,
    Definitions,
    Difference,
    Figure,
    NewReport,
    Totals,
    canonical,
    compose,
    cut_of,
    differences,
    digest,
)
from service.storage import reports as stored
from service.storage.database import Connection, Unavailable, attempt
from service.storage.report_definitions import definitions, words_for
from service.storage.sequencer import AT_MOST, number_events
from service.storage.tables.reports import reports
from service.storage.views import who

PATIENCE = 50
"""Looks at the feed before it is given up that another process numbers what waits."""
KEPT = ("report", "edition", "year", "as_of", "feed_no", "counted_until", "sha256", "content")
ROWS = "trainees.read"
"""Whoever may read people may open a number to its rows; others read the numbers alone."""


def freeze(_work: Work, _item: Item[NewReport], _step: Step, given: Given) -> dict[str, Any]:
    """The report's bytes, as they were drawn up before this act began."""
    kept = {name: given[name] for name in KEPT}
    said = {n: kept[n] for n in ("report", "edition", "year", "as_of", "feed_no")}
    return kept | {"event_data": said | {"sha256": kept["sha256"].hex()}}


SUBJECT: Subject[Any] = Subject(
    "reports",
    REPORT,
    reports,
    stored.FACTS,
    births={"freeze": stored.NEW_FACTS},
    effects={"freeze": freeze},
)


# ---- drawing up
def _clock(call: Call) -> str | None:
    return call.at.isoformat() if call.at else None


async def _stand(services: Services, call: Call, as_of: date | None) -> dict[str, Any]:
    """Where the record stands, when everything that was written has its place in the feed.

    Raises:
        Unavailable: another process holds the feed and does not come to an end.
    """
    for _ in range(PATIENCE):
        while await number_events(services.database, call.institution) == AT_MOST:
            pass
        async with services.database.connection() as con:
            found = await stored.STANDS.one(con, institution=call.institution, as_of=as_of, at=_clock(call))
        if found is not None and not found["waiting"]:
            return dict(found)
        await asyncio.sleep(0.1)
    raise Unavailable("feed")


async def _totals(con: Connection, services: Services, call: Call, figures: Iterable[Figure], cut: Cut) -> Totals:
    async with services.database.transaction(con, call.institution, bulk=True):
        return await stored.totals(con, call.institution, figures, cut)


async def _labels(con: Connection, call: Call, known: Definitions, found: Totals) -> dict[str, Any]:
    """The words for every group that there is, by what it is a group of."""
    groups: dict[str, set[str]] = {}
    for key, group in found:
        if group is not None:
            groups.setdefault(known.figures[key].by, set()).add(group)
    ids = [UUID(g) for g in groups.get("programme", ()) if g != stored.NOT_STATED]
    named = dict(await stored.PROGRAMMES.all(con, institution=call.institution, ids=ids)) if ids else {}
    return {by: {g: named.get(g) or dict(words_for(by, g)) for g in sorted(of)} for by, of in groups.items()}


async def _draw_up(services: Services, call: Call, year: int, as_of: date | None) -> dict[str, Any]:
    """A new report, and what is kept beside its bytes."""
    known = definitions()
    stands = await _stand(services, call, as_of)
    async with services.database.connection() as con:
        cut = Cut(year=year, **{n: stands[n] for n in ("as_of", "feed_no", "counted_until")})
        found = await _totals(con, services, call, known.figures.values(), cut)
        labels = await _labels(con, call, known, found)
    institution = {n: stands[n] for n in ("id", "name_native", "name_latin")}
    content = canonical(compose(known, cut, institution, labels, found))
    said = {n: getattr(cut, n) for n in ("year", "as_of", "feed_no", "counted_until")}
    return said | {
        "report": known.report, "edition": known.edition, "content": content, "sha256": digest(content),
    }  # fmt: skip


async def draw_up_and_freeze(services: Services, call: Call, given: dict[str, Any], *, answer: Answer) -> Done:
    """Draw up the report of a year from the record as it stands, and keep it as it is.

    Raises:
        Refused: the actor keeps no reports, or the year or the day does not fit.
    """
    actor, _ = await records(services, call, who(call.eyes), "me.read")
    check(actor, "reports.keep")
    async with services.database.connection() as con:
        stands = await stored.STANDS.one(con, institution=call.institution, as_of=None, at=_clock(call))
    if stands is not None:  # what the rules refuse is not drawn up first
        REPORT.decide("freeze", NewReport(state=NEW, today=stands["as_of"]), actor, given)
    drawn = await attempt(lambda _: _draw_up(services, call, given["year"], given.get("as_of")))
    return await perform(services, call, SUBJECT, "freeze", [Wanted(call.institution)], given | drawn, answer=answer)


# ---- reading what was frozen
async def frozen(services: Services, call: Call, report_id: UUID) -> dict[str, Any]:
    """A report with its bytes.

    Raises:
        Missing: it is not there, or not seen.
    """
    return await item(services, call, stored.WHOLE, "reports.read", report_id)


def _read(row: Mapping[str, Any]) -> tuple[dict[str, Any], Definitions, Cut]:
    report: dict[str, Any] = from_json(row["content"])
    return report, Definitions.read(report), cut_of(report)


async def rebuild(services: Services, call: Call, report_id: UUID) -> bytes:
    """The report once more, from its definitions, its cut and the record alone: the same bytes."""
    report, known, cut = _read(await frozen(services, call, report_id))

    async def once(_: int) -> bytes:
        async with services.database.connection() as con:
            found = await _totals(con, services, call, known.figures.values(), cut)
        return canonical(compose(known, cut, report["institution"], report["labels"], found))

    return await attempt(once)


async def rows(
    services: Services, call: Call, report_id: UUID, key: str, *, group: str | None, after: UUID | None, limit: int
) -> tuple[list[dict[str, Any]], UUID | None]:
    """The rows that a number of a report counts, and after which the next ones come.

    Raises:
        Missing: no such report, or no such figure in it.
        Refused: the actor reads no people.
    """
    row = await frozen(services, call, report_id)
    actor, _ = await records(services, call, who(call.eyes), "reports.read")
    check(actor, ROWS)
    _, known, cut = _read(row)
    figure = known.figures.get(key)
    if figure is None:
        raise Missing
    wanted = [known.figures[k] for k in figure.needs]

    async def once(_: int) -> list[dict[str, Any]]:
        async with (
            services.database.connection() as con,
            services.database.transaction(con, call.institution, bulk=True),
        ):
            return await stored.rows(con, call.institution, wanted, cut, group=group, after=after, limit=limit + 1)

    found = await attempt(once)
    return found[:limit], found[limit - 1]["row_id"] if len(found) > limit else None


async def held_against_now(services: Services, call: Call, report_id: UUID) -> dict[str, Any]:
    """What the same report would say differently if it were drawn up now, and the events that make the difference."""
    row = await frozen(services, call, report_id)
    actor, _ = await records(services, call, who(call.eyes), "reports.read")
    _, known, cut = _read(row)
    figures: Sequence[Figure] = tuple(known.figures.values())

    async def once(_: int) -> dict[str, Any]:
        stands = await _stand(services, call, None)
        now = replace(cut, **{n: stands[n] for n in ("as_of", "feed_no", "counted_until")})
        async with (
            services.database.connection() as con,
            services.database.transaction(con, call.institution, bulk=True),
        ):
            was = await stored.totals(con, call.institution, figures, cut)
            is_ = await stored.totals(con, call.institution, figures, now)
            changed = await stored.changes(con, call.institution, figures, cut, now)
        lines = [_told(actor, known, d, changed) for d in differences(known, was, is_)]
        return {"as_of": now.as_of, "counted_until": now.counted_until, "items": lines}

    return await attempt(once)


def _told(actor: Actor, known: Definitions, d: Difference, changed: Mapping[Any, Any]) -> dict[str, Any]:
    behind = [c for k in known.figures[d.figure].needs if (c := changed.get((k, d.group))) is not None]
    ids = list(dict.fromkeys(i for c in behind for i in c.event_ids))
    return {
        "figure": d.figure,
        "group": d.group,
        "frozen": d.frozen,
        "now": d.now,
        "rows_gone": sum(c.gone for c in behind),
        "rows_added": sum(c.came for c in behind),
        "events": sum(c.events for c in behind),
        "event_ids": ids if may(actor, ROWS) else None,
    }
