"""An institution's own versions of packs over HTTP."""

from __future__ import annotations

from typing import Any

from service.actions.pack_versions import SUBJECT, read_content
from service.api.operations import Asked, Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.pack_versions import OwnPackVersionOut, OwnPackVersionWholeOut
from service.storage.pack_versions import VIEW, WHOLE


def _prepare(_asked: Asked, given: dict[str, Any]) -> dict[str, Any]:
    return read_content(given)


RESOURCE = Resource(
    SUBJECT,
    VIEW,
    OwnPackVersionOut,
    policy="pack_versions.read",
    tag="packs",
    births={"load": Birth(summary="Load a version of a pack, to be tried and then adopted")},
    summaries={
        "adopt": "Put a version in force from a day, by another than who loaded it",
        "withdraw": "Take back a version that was not adopted",
        "retire": "Set the last day of a version",
    },
    prepare=_prepare,
    whole=(WHOLE, OwnPackVersionWholeOut),
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
