"""An institution's own versions of packs as clients read them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import StatefulOut


class OwnPackVersionOut(StatefulOut):
    """A version of a pack that the institution loaded itself."""

    key: str
    number: int = Field(description="The version's number.")
    title: str
    rationale: str
    loaded_by: UUID = Field(description="The account that loaded it; another adopts it.")
    from_on: date | None = Field(description="The first day on which it is in force, by planned departures.")
    until_on: date | None = Field(description="The last such day; none where it is open.")


class OwnPackVersionWholeOut(OwnPackVersionOut):
    """The same with its content as it was written."""

    content: dict[str, Any]
