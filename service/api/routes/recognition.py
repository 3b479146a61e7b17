"""Recognition cases and the credit ledger over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field, create_model
from starlette.responses import Response

from service.actions import reading
from service.actions.recognition import SUBJECT, opened, precedents, preview, traces
from service.api.inputs import LIST_MAX, In, given_of, kind_of
from service.api.messages import refused
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.downloads import downloading
from service.api.routes.subjects import Birth, Resource, cursor_of, read_cursor, routes_of
from service.api.schemas.common import PageOut
from service.api.schemas.recognition import (
    EntryOut,
    LedgerQuery,
    PrecedentsOut,
    PreviewOut,
    RecognitionCaseOut,
    TracesOut,
)
from service.domain.lifecycle import Takes
from service.domain.recognition import ALIKE
from service.storage.recognition import LEDGER, VIEW


def _present(asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
    return opened(asked.services, asked.call, row)


def _prepare(_asked: Asked, given: dict[str, Any]) -> dict[str, Any]:
    """The courses that items and equivalences name, and the rule that is saved: the facts look them up."""
    if "equivalences" in given:
        parts = [p for e in given["equivalences"] for p in (*e.sources, *e.targets)]
        saved = given.get("save_as")
        return given | {"course_ids": [p.course_id for p in parts], "rule_key": saved.rule_key if saved else None}
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
        "decide_by_rule": "Decide a case by the rules in force",
        "decide_alike": "Decide cases alike by what counts as what",
        "sign": "Sign what was decided",
        "send_back": "Send a decision back instead of signing it",
        "notify": "Tell the trainee what was decided, and how to appeal",
        "decide_appeal": "Uphold, amend or remit what was appealed",
        "reverse": "Reverse a final case by entries in the ledger",
    },
    present=_present,
    prepare=_prepare,
)


async def _traces(asked: Asked) -> Response:
    return respond({"items": await traces(asked.services, asked.call, asked.id)})


async def _precedents(asked: Asked) -> Response:
    return respond({"items": await precedents(asked.services, asked.call, asked.id)})


PREVIEWED = (*ALIKE, Takes("case_ids", tuple[UUID, ...], "The cases."))
PreviewIn = create_model(
    "RecognitionCasePreviewIn",
    __base__=In,
    __doc__="Cases, and what counts as what; without that, the rules in force.",
    case_ids=(list[UUID], Field(min_length=1, max_length=LIST_MAX, description="The cases.")),
    equivalences=(kind_of(ALIKE[0].kind) | None, Field(default=None, description=ALIKE[0].about)),
)


async def _preview(asked: Asked) -> Response:
    given = given_of(asked.body, PREVIEWED)
    found = await preview(asked.services, asked.call, given.pop("case_ids"), given)
    items = [row | {"reasons": refused(row["reasons"], asked.language)} for row in found]
    return respond({"would": sum(row["would"] for row in items), "items": items})


OF_LEDGER = LEDGER.keeps("person_id", "course_id", "case_id")


async def _ledger(asked: Asked) -> Response:
    query = asked.query
    filters = {n: v for n in OF_LEDGER if (v := getattr(query, n)) is not None}
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
    entries.add(downloading("/ledger/export", "ledger_export", LEDGER, "ledger.read", EntryOut, LedgerQuery))
    more = Operations("recognition")
    more.add(
        Operation(
            "POST",
            "/recognition-cases/bulk/preview",
            "recognition_cases_bulk_preview",
            "What each of many cases would get, with every step; nothing is written",
            _preview,
            "open",
            "recognition_cases.weigh",
            PreviewOut,
            PreviewIn,
        )
    )
    for path, name, summary, handle, policy, out in (
        ("traces", "traces", "How every decided number came about", _traces, "recognition_cases.read", TracesOut),
        ("precedents", "precedents", "What was decided before of the same courses", _precedents,
         "recognition_cases.weigh", PrecedentsOut),
    ):  # fmt: skip
        more.add(
            Operation(
                "GET", f"/recognition-cases/{{id}}/{path}", f"recognition_cases_{name}", summary, handle, "read",
                policy, out,
            )
        )  # fmt: skip
    return [more, routes_of(RESOURCE), entries]
