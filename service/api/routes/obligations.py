"""Obligations over HTTP."""

from __future__ import annotations

from typing import Any

from service.actions.obligations import SUBJECT
from service.api.messages import words
from service.api.operations import Asked, Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.obligations import ObligationOut
from service.storage.duties import about
from service.storage.obligations import VIEW


def _present(asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
    code, said = f"obligation.{row['rule']}", about(row["pin"], row["rule"])
    title = words(code, asked.language)
    return row | said | {"title": said["title"] if title == code else title}


RESOURCE = Resource(
    SUBJECT,
    VIEW,
    ObligationOut,
    policy="obligations.read",
    tag="obligations",
    births={"report": Birth("subject_id", summary="Report an event from which an obligation follows")},
    summaries={
        "fulfil": "Say that an obligation is done, with evidence",
        "waive": "Let an obligation go, with a reason",
    },
    present=_present,
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
