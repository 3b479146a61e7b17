"""Recognition cases and the credit ledger over HTTP."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from service.actions import reading
from service.actions.recognition import SUBJECT, opened
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Birth, Resource, cursor_of, read_cursor, routes_of
from service.api.schemas.common import PageOut
from service.api.schemas.recognition import EntryOut, LedgerQuery, RecognitionCaseOut
from service.storage.recognition import LEDGER, VIEW


def _present(asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
    return opened(asked.services, asked.call, row)


def _prepare(_asked: Asked, given: dict[str, Any]) -> dict[str, Any]:
    """The home courses that items name: the facts of an opening look them up."""
    named = [i.target_course_id for i in given.get("items", ()) if getattr(i, "target_course_id", None)]
    return given | {"course_ids": named} if named else given


RESOURCE = Resource(
    SUBJECT,
    VIEW,
    RecognitionCaseOut,
    policy="recognition_cases.read",
    tag="recognition",
    births={"open": Birth(anchor="person_id", summary="Open a recognition case on results of a person")},
    summaries={
        "decide": "Decide every item of a case",
        "notify": "Tell the trainee what was decided, and how to appeal",
        "decide_appeal": "Uphold, amend or remit what was appealed",
        "reverse": "Reverse a final case by entries in the ledger",
    },
    present=_present,
    prepare=_prepare,
)


async def _ledger(asked: Asked) -> Response:
    query = asked.query
    filters = {n: v for n in ("person_id", "course_id", "case_id") if (v := getattr(query, n)) is not None}
    found = await reading.page(
        asked.services, asked.call, LEDGER, "ledger.read", filters=filters, limit=query.limit,
        after=read_cursor(query.after), downward=query.order == "newest",
    )  # fmt: skip
    following = cursor_of(found.next)
    headers = {}
    if following:
        url = asked.request.url.include_query_params(after=following)
        headers["link"] = f'<{url.path}?{url.query}>; rel="next"'
    return respond({"items": found.items, "next": following}, headers=headers)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    entries = Operations("recognition")
    entries.add(
        Operation(
            "GET",
            "/ledger",
            "ledger_list",
            "List the entries of the credit ledger",
            _ledger,
            "list",
            "ledger.read",
            PageOut[EntryOut],
            query=LedgerQuery,
        )
    )
    return [routes_of(RESOURCE), entries]
