"""Units of the institution."""

from __future__ import annotations

from uuid import UUID

from service.actions.institutions import UNITS
from service.api.operations import Operations
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.common import StatefulOut
from service.storage.institutions import UNIT_VIEW


class UnitOut(StatefulOut):
    """A school, a department, a centre."""

    name_native: str
    name_latin: str
    parent_id: UUID | None


RESOURCE = Resource(
    UNITS, UNIT_VIEW, UnitOut, policy="units.read", tag="institutions", births={"found": Birth(summary="Found a unit")}
)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    return [routes_of(RESOURCE)]
