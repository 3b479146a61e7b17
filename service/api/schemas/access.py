"""Who saw what of a person, as clients read it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.schemas.common import Out


class AccessOut(Out):
    """One sight of a person's data: by whom, when, which kinds of it, and why they might."""

    kind: Literal["opened", "seen"] = Field(
        description="`opened`: staff opened what is sealed, for a purpose. `seen`: an organisation was shown it."
    )
    at: datetime = Field(description="When; of what was seen several times a day, the first of them.")
    seen_on: date | None
    account_id: UUID
    account_name: str | None = Field(description="Only for whoever may read accounts.")
    roles: list[str]
    organisation_id: UUID | None
    organisation: str | None
    fields: list[str] = Field(description="The kinds of data, or `document:<kind>`.")
    subject: str | None = Field(description="Through what it was seen: the candidacy, the placement, the membership.")
    subject_id: UUID | None
    consent_id: UUID | None = Field(description="The consent by which it was shown.")
    purpose: str | None = Field(description="What it was opened for.")


class AccessesOut(Out):
    """Who saw what, newest first."""

    items: list[AccessOut]
    next: str | None = Field(description="Give it as `after` for older ones; null at the end.")
