"""Who saw what of a person, over HTTP."""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.responses import Response

from service.actions.access import access
from service.api.operations import Asked, Operation, Operations, respond
from service.api.problems import Problem
from service.api.schemas.access import AccessesOut
from service.api.schemas.common import Cursored
from service.storage.access import Place

CURSOR = struct.Struct(">q16s")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def cursor_of(place: Place | None) -> str | None:
    """A place as a cursor: an instant and an id."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(CURSOR.pack((place.at - EPOCH) // MICROSECOND, place.id.bytes)).decode()


def read_cursor(written: str | None) -> Place | None:
    """The place of a cursor.

    Raises:
        Problem: it is none of ours.
    """
    if written is None:
        return None
    try:
        at, named = CURSOR.unpack(base64.urlsafe_b64decode(written))
        return Place(EPOCH + at * MICROSECOND, UUID(bytes=named))
    except (ValueError, OverflowError, binascii.Error, struct.error):
        reason = {"code": "cursor_known", "text": "This cursor was not given out here", "pointer": "query/after"}
        raise Problem("invalid", reasons=[reason]) from None


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    left = ("id", "who_id", "who_name", "who_roles")
    told = {n: v for n, v in row.items() if n not in left}
    return told | {"account_id": row["who_id"], "account_name": row["who_name"], "roles": row["who_roles"] or []}


async def _access(asked: Asked) -> Response:
    query = asked.query
    found, following = await access(
        asked.services, asked.call, asked.id, limit=query.limit, after=read_cursor(query.after)
    )
    cursor, headers = cursor_of(following), {"cache-control": "no-store"}
    if cursor:
        url = asked.request.url.include_query_params(after=cursor)
        headers["link"] = f'<{url.path}?{url.query}>; rel="next"'
    return respond({"items": [_shown(r) for r in found], "next": cursor}, headers=headers)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("trainees")
    o.add(
        Operation(
            "GET",
            "/trainees/{id}/access",
            "trainees_access",
            "Who saw what of a person, when and why, newest first",
            _access,
            "read",
            "access.read",
            AccessesOut,
            query=Cursored,
        )
    )
    return [o]
