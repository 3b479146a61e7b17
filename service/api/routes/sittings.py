"""Sittings over HTTP: announced, registered for, sat; results loaded from a sheet."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic_core import to_json
from starlette.responses import Response

from service.actions import reading
from service.actions.sitting_results import MOST_BYTES, Report, Unreadable, load_results
from service.actions.sittings import REGISTRATIONS, SITTINGS
from service.api.messages import told
from service.api.operations import Asked, Operation, Operations
from service.api.problems import Problem
from service.api.routes.subjects import Birth, Resource, replied, routes_of
from service.api.schemas.sittings import ResultsIn, ResultsOut, SittingOut, SittingRegistrationOut
from service.api.uploads import Form, form_body
from service.domain.lifecycle import Reason
from service.storage.sittings import REGISTRATION_VIEW, VIEW

SITTING = Resource(
    SITTINGS,
    VIEW,
    SittingOut,
    policy="sittings.read",
    tag="sittings",
    births={"announce": Birth(summary="Announce a sitting of a language test")},
    summaries={"edit": "Change a sitting", "cancel": "Cancel a sitting, and every registration for it"},
)
REGISTRATION = Resource(
    REGISTRATIONS,
    REGISTRATION_VIEW,
    SittingRegistrationOut,
    policy="sitting_registrations.read",
    tag="sittings",
    births={"register": Birth("person_id", extra=("sitting_id",), summary="Register somebody for a sitting")},
    summaries={
        "edit": "Note the number of the admission ticket",
        "sit": "Note that somebody has sat",
        "record_result": "Record a result, which becomes a certificate",
        "withdraw": "Withdraw from a sitting",
    },
)

EXAMPLE = {"dry_run": True, "file": "(bytes)"}


def _shown(report: Report, language: str) -> bytes:
    items = [
        {
            "line": e.line,
            "outcome": e.outcome,
            "registration_id": e.registration,
            "result": e.result,
            "level": e.level,
            "cefr": e.cefr,
            "certificate_id": e.certificate,
            "findings": [{"column": column, "reason": told(reason, language)} for column, reason in e.findings],
        }
        for e in report.entries
    ]
    return to_json(
        {
            "sitting_id": report.sitting,
            "dry_run": report.dry_run,
            "kind": report.kind,
            "outcomes": report.outcomes,
            "ignored": report.ignored,
            "items": items,
        }
    )


async def _load(asked: Asked) -> Response:
    """Who asks, and of what, comes first: nobody's file is read before that is known."""
    await reading.item(asked.services, asked.call, VIEW, "sitting_registrations.load", asked.id)
    form, content = Form(asked.request, ResultsIn), bytearray()
    async for chunk in form.chunks():
        content += chunk
        if len(content) > MOST_BYTES:
            raise Problem("too-large")
    with TemporaryDirectory(prefix="sojourn-") as folder:
        path = Path(folder) / "results"
        await asyncio.to_thread(path.write_bytes, content)
        try:
            done = await load_results(
                asked.services, asked.call, asked.id, path, dry_run=form.said.dry_run,
                told=lambda report: _shown(report, asked.language),
            )  # fmt: skip
        except Unreadable as no:
            reason = told(Reason(no.code, no.required, no.actual, pointer="/file"), asked.language)
            kind = "unsupported-media-type" if no.code == "file_kind_unknown" else "invalid"
            raise Problem(kind, reasons=[reason]) from None
    return replied(done)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    more = Operations("sittings")
    more.add(
        Operation(
            "POST",
            "/sittings/{id}/results",
            "sittings_load_results",
            "Load results from a sheet (CSV or XLSX), or try to",
            _load,
            "bulk",
            "sitting_registrations.load",
            ResultsOut,
            keyed=True,
            extra={"openapi_extra": {"requestBody": form_body(ResultsIn, EXAMPLE)}},
        )
    )
    return [more, routes_of(SITTING), routes_of(REGISTRATION)]
