"""Reports of a year over HTTP: frozen, read, drawn, opened, held against today."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from service.actions import reports
from service.api.inputs import action_model
from service.api.operations import Asked, Operation, Operations, as_json, respond
from service.api.problems import Language
from service.api.routes.documents import disposition
from service.api.routes.subjects import Resource, cursor_of, given_to, moved, read_cursor, replied, routes_of
from service.api.schemas.common import MovedOut
from service.api.schemas.reports import (
    CheckOut,
    DifferencesOut,
    DrawnAsked,
    ReportOut,
    RowsAsked,
    RowsOut,
    WholeReportOut,
)
from service.domain.reports import digest
from service.storage.reports import VIEW, WHOLE


def _with_content(_asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"content": as_json(row["content"])} if "content" in row else row


RESOURCE = Resource(
    reports.SUBJECT,
    VIEW,
    ReportOut,
    policy="reports.read",
    tag="reports",
    present=_with_content,
    whole=(WHOLE, WholeReportOut),
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"
JSON = "application/json"


async def _freeze(asked: Asked) -> Response:
    given = given_to(RESOURCE, "freeze", asked, asked.body)
    done = await reports.draw_up_and_freeze(asked.services, asked.call, given, answer=moved)
    return replied(done, status=201, version=1)


def _as_json(content: bytes, _language: Language) -> bytes:
    return content


def _as_workbook(content: bytes, language: Language) -> bytes:
    from service.api.drawing import spreadsheet  # noqa: PLC0415 - its libraries would cost every start half a second

    return spreadsheet.draw(content, language)


def _as_document(content: bytes, language: Language) -> bytes:
    from service.api.drawing import printed  # noqa: PLC0415 - likewise

    return printed.draw(content, language)


def _drawn(draw: Callable[[bytes, Language], bytes], media: str, ending: str) -> Callable[[Asked], Any]:
    """The frozen bytes, drawn; it takes a moment, and the loop has others to serve."""

    async def handle(asked: Asked) -> Response:
        row = await reports.frozen(asked.services, asked.call, asked.id)
        language: Language = asked.query.language or asked.language
        drawn = await asyncio.to_thread(draw, row["content"], language)
        name = f"report-{row['year']}-{row['as_of']}.{ending}"
        headers = {
            "content-disposition": disposition(name),
            "content-language": language,
            "vary": "Authorization, Accept-Language",
            "etag": f'"{digest(drawn).hex()}"',
        }
        return Response(drawn, headers=headers, media_type=media)

    return handle


async def _check(asked: Asked) -> Response:
    row = await reports.frozen(asked.services, asked.call, asked.id)
    rebuilt = digest(await reports.rebuild(asked.services, asked.call, asked.id)).hex()
    return respond({"sha256": row["sha256"], "rebuilt_sha256": rebuilt, "same": rebuilt == row["sha256"]})


async def _rows(asked: Asked) -> Response:
    query = asked.query
    found, following = await reports.rows(
        asked.services, asked.call, asked.id, asked.path["key"], group=query.group, after=read_cursor(query.after),
        limit=query.limit,
    )  # fmt: skip
    items = [{"figure" if n == "key" else n: v for n, v in row.items()} for row in found]
    return respond({"items": items, "next": cursor_of(following)})


async def _differences(asked: Asked) -> Response:
    return respond(await reports.held_against_now(asked.services, asked.call, asked.id))


def _file(media: str) -> dict[str, Any]:
    content = {media: {"schema": {"type": "string", "format": "binary"}}}
    answer = {"description": "The report, as a file.", "content": content}
    return {"response_class": Response, "openapi_extra": {"responses": {"200": answer}}}


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("reports")
    body = action_model(reports.SUBJECT.lifecycle, "freeze")
    o.add(
        Operation(
            "POST", "/reports", "reports_create", "Freeze the report of a year", _freeze, "create", "lifecycle",
            MovedOut, body, status=201, keyed=True,
        )
    )  # fmt: skip
    read: tuple[tuple[str, str, Any, Any], ...] = (
        ("check", "Rebuild a report from the record and compare", _check, CheckOut),
        ("differences", "What the report would say differently now", _differences, DifferencesOut),
    )
    for name, summary, handle, out in read:
        at = f"/reports/{{id}}/{name}"
        o.add(Operation("GET", at, f"reports_{name}", summary, handle, "read", "reports.read", out))
    o.add(
        Operation(
            "GET", "/reports/{id}/figures/{key}/rows", "reports_rows", "The rows that a number counts", _rows, "list",
            "reports.read", RowsOut, query=RowsAsked, codes=("key",),
        )
    )  # fmt: skip
    for ending, what, media, draw in (
        ("json", "as the bytes that were frozen", JSON, _as_json),
        ("xlsx", "as a workbook with charts", XLSX, _as_workbook),
        ("pdf", "as a document with charts", PDF, _as_document),
    ):
        o.add(
            Operation(
                "GET", f"/reports/{{id}}/report.{ending}", f"reports_{ending}", f"A report {what}",
                _drawn(draw, media, ending), "read", "reports.read", query=DrawnAsked, extra=_file(media),
            )
        )  # fmt: skip
    return [o, routes_of(RESOURCE)]
