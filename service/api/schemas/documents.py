"""Documents as clients send and read them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from service.api.inputs import MARKS, In
from service.api.schemas.common import StatefulOut
from service.domain.documents import DOCUMENT_KINDS

Kind = Literal[DOCUMENT_KINDS]  # type: ignore[valid-type]
Line = MARKS["line"]


class DocumentIn(In):
    """What is said of a file."""

    person_id: UUID | None = Field(default=None, description="Whom it is about; nobody for the institution's own.")
    kind: Kind = Field(description="What it is.")
    title: Line = Field(description="What it is called; its file is named so when it is read.")  # type: ignore[valid-type]


class DocumentOut(StatefulOut):
    """What is known of a document; its bytes are read at its `content`."""

    person_id: UUID | None
    kind: str
    title: str
    media_type: str = Field(description="What the bytes are, by their own signature.")
    size: int = Field(description="In bytes.")
    sha256: str = Field(description="In hexadecimal digits.")
    uploaded_by: UUID
    created_at: datetime
