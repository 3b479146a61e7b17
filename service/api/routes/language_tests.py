"""Language tests over HTTP, and for what certificates are good on a day."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from service.actions.certificates import Judged, validity
from service.actions.work import Missing
from service.api.messages import told
from service.api.operations import Asked, Operation, Operations, respond
from service.api.schemas.language_tests import (
    LanguageTestsOut,
    ValiditiesIn,
    ValiditiesOut,
    ValidityAsked,
    ValidityOut,
)
from service.domain.languages import Ground, Outcome, Sourced
from service.domain.lifecycle import Reason
from service.storage.language_tests import language_tests

SOURCE = tuple(f.name for f in dataclasses.fields(Sourced))


@cache
def _tests_as_json() -> bytes:
    book = language_tests()
    return to_json({"tests": list(book.tests.values()), "sets": book.sets})


async def _tests(_: Asked) -> Response:
    return respond(_tests_as_json(), headers={"cache-control": "public, max-age=300"})


def _ground(ground: Ground, language: str) -> dict[str, Any]:
    source = ground.source
    return told(Reason(ground.code, ground.required, ground.actual), language) | {
        "rule": getattr(source, "key", None),
        "source": {name: getattr(source, name) for name in SOURCE} if source else None,
    }


def _reading(read: Outcome, language: str) -> dict[str, Any]:
    return {
        "scheme": read.version,
        "paper": read.paper,
        "passed": read.passed,
        "level": read.level,
        "cefr": read.cefr,
        "skills": read.skills,
        "evidence": read.evidence,
        "grounds": [_ground(g, language) for g in read.grounds],
    }


def _shown(judged: Judged, purpose: str, language: str) -> dict[str, Any] | None:
    verdict, read = judged.verdict, judged.outcome
    if verdict is None:
        return None
    return {
        "id": judged.id,
        "purpose": purpose,
        "on": judged.on,
        "valid": verdict.valid,
        "verified": judged.verified,
        "valid_until": verdict.valid_until,
        "decided_by": _ground(verdict.decided_by, language),
        "advice": [_ground(g, language) for g in verdict.advice],
        "reading": _reading(read, language) if read else None,
    }


async def _one(asked: Asked) -> Response:
    purpose = asked.query.purpose
    judged = await validity(asked.services, asked.call, [asked.id], purpose, asked.query.on)
    shown = _shown(judged[0], purpose, asked.language)
    if shown is None:
        raise Missing
    return respond(shown)


async def _many(asked: Asked) -> Response:
    said = asked.body
    ids = list(dict.fromkeys(said.ids))
    judged = await validity(asked.services, asked.call, ids, said.purpose, said.on)
    items = [
        {"id": j.id, "error": None if shown else "not-found", "validity": shown}
        for j, shown in ((j, _shown(j, said.purpose, asked.language)) for j in judged)
    ]
    return respond({"items": items})


def routes() -> list[Operations]:
    """Every operation of the capability."""
    public, judging = Operations("reference"), Operations("certificates")
    public.add(
        Operation(
            "GET",
            "/language-tests",
            "language_tests_list",
            "Every language test: scales, levels, CEFR tables and validity, with sources",
            _tests,
            "public",
            "public",
            LanguageTestsOut,
        )
    )
    judging.add(
        Operation(
            "GET",
            "/certificates/{id}/validity",
            "certificates_validity",
            "Whether a certificate is good for a purpose on a day, and by which rule",
            _one,
            "read",
            "certificates.read",
            ValidityOut,
            query=ValidityAsked,
        )
    )
    judging.add(
        Operation(
            "POST",
            "/certificates/validity",
            "certificates_validity_of_many",
            "Whether certificates are good for a purpose on a day (many at once)",
            _many,
            "open",
            "certificates.read",
            ValiditiesOut,
            ValiditiesIn,
        )
    )
    return [public, judging]
