"""Timetables over HTTP: out as a calendar and as a workbook, and in from either."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from service.actions import reading
from service.actions.imports.sheets import Unreadable
from service.actions.timetables import Looked, Report, take_in, write_out
from service.actions.work import Call
from service.api.messages import told
from service.api.operations import Asked, Operation, Operations, as_json, etag
from service.api.problems import Language, Problem
from service.api.routes.documents import disposition, filename
from service.api.routes.subjects import replied
from service.api.schemas.timetables import TimetableIn, TimetableReportOut
from service.api.uploads import Form, form_body
from service.domain.lifecycle import Reason
from service.storage.files import XLSX
from service.storage.training import CLASS_VIEW

CALENDAR = "text/calendar"
UNCHANGED = {"description": "It is as it was read (If-None-Match)."}
EXAMPLE = {"dry_run": True, "file": "(bytes)"}


def _written(*, as_sheet: bool) -> Callable[[Asked], Awaitable[Response]]:
    async def handle(asked: Asked) -> Response:
        made = await write_out(asked.services, asked.call, asked.id, as_sheet=as_sheet)
        tag = etag(made.version, made.content)
        headers = {"etag": tag, "vary": "Authorization, Accept-Language", "cache-control": "private, no-cache"}
        if asked.request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        name = filename(made.title, XLSX).removesuffix(".xlsx") + (".xlsx" if as_sheet else ".ics")
        headers |= {"content-disposition": disposition(name), "x-content-type-options": "nosniff"}
        return Response(made.content, headers=headers, media_type=XLSX if as_sheet else CALENDAR)

    return handle


def _reasons(reasons: list[Reason], language: Language) -> list[dict[str, object]]:
    """The pointer of a reason names the column, or the part of the meeting, and not a place in a body."""
    parts = [replace(r, pointer=_column(r.pointer)) for r in reasons]
    return [told(r, language) for r in parts]


def _column(pointer: str | None) -> str | None:
    named = (pointer or "").rsplit("/", 1)[-1]
    return named if named and not named.isdigit() else None


def _line(looked: Looked, language: Language) -> dict[str, Any]:
    line, placed = looked.line, looked.placed
    entry = line.entry
    return {
        "line": line.number,
        "does": looked.does,
        "session_id": placed.session.id if placed and placed.session else None,
        "uid": entry.uid if entry else None,
        "starts_at": entry.starts_at if entry else None,
        "ends_at": entry.ends_at if entry else None,
        "hours": placed.hours if placed else None,
        "reasons": _reasons(looked.faults, language),
        "remarks": _reasons(line.remarks, language),
    }


async def _take_in(asked: Asked) -> Response:
    # Who asks, and of which class, comes first: nobody's file is read before it is known to be theirs to send.
    await reading.item(asked.services, asked.call, CLASS_VIEW, "classes.import", asked.id)
    form = Form(asked.request, TimetableIn)

    def digest(content: bytes) -> Call:
        body = sha256(asked.call.body + to_json(form.said) + sha256(content).digest()).digest()
        return replace(asked.call, body=body)

    def answer(report: Report) -> bytes:
        lines = [_line(looked, asked.language) for looked in report.lines]
        return to_json(
            {
                "dry_run": report.dry_run,
                "version": report.version,
                "counts": report.counts,
                "not_in_file": report.not_in_file,
                "lines": lines,
            }
        )

    try:
        done = await take_in(
            asked.services, asked.call, asked.id, version=asked.if_match, chunks=form.chunks(),
            said=lambda: form.said.dry_run, digest=digest, answer=answer,
        )  # fmt: skip
    except Unreadable as no:
        reason = Reason(no.code, required=no.required, actual=no.actual, pointer="/file")
        kind = {"file_too_large": "too-large", "file_kind_unknown": "unsupported-media-type"}.get(no.code, "invalid")
        raise Problem(kind, reasons=[told(reason, asked.language)]) from None
    return replied(done, version=as_json(done.body)["version"])


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("training")
    for ending, media, what in (("ics", CALENDAR, "a calendar"), ("xlsx", XLSX, "a workbook")):
        file = {
            "description": f"The timetable as {what}.",
            "content": {media: {"schema": {"type": "string", "format": "binary"}}},
        }
        extra: dict[str, Any] = {
            "response_class": Response,
            "openapi_extra": {"responses": {"200": file, "304": UNCHANGED}},
        }
        path, name = f"/classes/{{id}}/timetable.{ending}", f"classes_timetable_{ending}"
        handle = _written(as_sheet=ending == "xlsx")
        o.add(
            Operation(
                "GET", path, name, f"The timetable of a class as {what}", handle, "read", "classes.read", extra=extra
            )
        )
    o.add(
        Operation(
            "POST",
            "/classes/{id}/timetable",
            "classes_timetable_import",
            "Take in a timetable from a calendar or a sheet, first without doing anything",
            _take_in,
            "action",
            "classes.import",
            TimetableReportOut,
            versioned=True,
            keyed=True,
            extra={"openapi_extra": {"requestBody": form_body(TimetableIn, EXAMPLE)}},
        )
    )
    return [o]
