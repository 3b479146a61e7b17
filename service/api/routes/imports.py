"""Imports over HTTP: a form with one file, then an item like any other, and a report on its rows."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from service.actions import reading
from service.actions.imports.items import SUBJECT, rows, take_in
from service.actions.imports.kinds import KINDS
from service.api.messages import told
from service.api.operations import Asked, Operation, Operations, respond
from service.api.problems import Problem
from service.api.routes.subjects import Resource, moved, replied, routes_of
from service.api.schemas.common import MovedOut
from service.api.schemas.imports import EXAMPLE, ImportIn, ImportOut, ImportRowsOut, ImportRowsQuery
from service.api.uploads import Form, form_body
from service.domain.lifecycle import Reason
from service.storage.files import NotAccepted, Stored, TooLarge, Unreachable
from service.storage.imports import VIEW


def _present(asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
    trouble = row["trouble"]
    return row | {"trouble": trouble and told(Reason(**trouble), asked.language)}


RESOURCE = Resource(
    SUBJECT,
    VIEW,
    ImportOut,
    policy="imports.read",
    tag="imports",
    present=_present,
    summaries={
        "apply": "Apply the rows of an import (one import)",
        "void": "Take an import back as a whole (one import)",
        "stop": "Stop an import (one import)",
        "keep": "Stop taking an import back (one import)",
    },
)


async def _upload(asked: Asked) -> Response:
    await reading.who_asks(asked.services, asked.call)
    form = Form(asked.request, ImportIn)

    def said() -> Mapping[str, Any]:
        given = form.said.model_dump(exclude_none=True)
        columns = KINDS[form.said.kind].columns()
        if unknown := set((form.said.mapping or {}).values()) - columns:
            reason = Reason("column_known", required=sorted(columns), actual=len(unknown), pointer="/mapping")
            raise Problem("invalid", reasons=[told(reason, asked.language)])
        return dict(given)

    def digest(content: Stored) -> bytes:
        return sha256(asked.call.body + to_json(form.said) + content.sha256.encode()).digest()

    try:
        done = await take_in(asked.services, asked.call, form.chunks(), said, digest, answer=moved)
    except TooLarge:
        raise Problem("too-large") from None
    except NotAccepted as no:
        code = "file_kind_unknown" if no.code == "unknown_kind" else f"file_{no.code}"
        kind = "unsupported-media-type" if no.code == "unknown_kind" else "invalid"
        raise Problem(kind, reasons=[told(Reason(code, pointer="/file"), asked.language)]) from None
    except Unreachable:
        raise Problem("unavailable") from None
    return replied(done, status=201, version=1)


async def _rows(asked: Asked) -> Response:
    query = asked.query
    found = await rows(
        asked.services, asked.call, asked.id, after=query.after, limit=query.limit, outcome=query.outcome
    )
    for row in found:
        row["findings"] = [_finding(f, asked) for f in row["findings"]]
    return respond({"items": found, "next": found[-1]["line"] if len(found) == query.limit else None})


def _finding(kept: dict[str, Any], asked: Asked) -> dict[str, Any]:
    reason = Reason(kept["code"], kept["required"], kept["actual"])
    return {**told(reason, asked.language), "column": kept["column"], "fault": kept["fault"]}


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("imports")
    o.add(
        Operation(
            "POST",
            "/imports",
            "imports_create",
            "Upload a file of rows: it is checked first, and applied when you say so",
            _upload,
            "create",
            "lifecycle",
            MovedOut,
            status=201,
            keyed=True,
            extra={"openapi_extra": {"requestBody": form_body(ImportIn, EXAMPLE)}},
        )
    )
    o.add(
        Operation(
            "GET",
            "/imports/{id}/rows",
            "imports_rows",
            "What becomes of each row, and what would be right where it is faulty",
            _rows,
            "read",
            "imports.read",
            ImportRowsOut,
            query=ImportRowsQuery,
        )
    )
    return [o, routes_of(RESOURCE)]
