"""Imports as clients send and read them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, Json

from service.actions.imports.kinds import KINDS
from service.api.inputs import MARKS, In
from service.api.problems import ReasonOut
from service.api.schemas.common import Limited, Out, StatefulOut
from service.domain.imports import BLANKS, MODES, OUTCOMES

Kind = Literal[tuple(KINDS)]  # type: ignore[valid-type]
Line = MARKS["line"]
Country = MARKS["country"]
MAPPED_MOST = 200


class ImportIn(In):
    """What is said of a file of rows."""

    kind: Kind = Field(description="What its rows are about.")  # type: ignore[valid-type]
    mode: Literal[MODES] = Field(  # type: ignore[valid-type]
        default="good", description="Apply the good rows, or none unless all of them are good."
    )
    blanks: Literal[BLANKS] = Field(  # type: ignore[valid-type]
        default="keep", description="An empty cell leaves what is on record, or clears it."
    )
    source: Line | None = Field(  # type: ignore[valid-type]
        default=None, description="From whom it is; the mapping of its headers is remembered under this name."
    )
    mapping: Json[Annotated[dict[Line, Line], Field(max_length=MAPPED_MOST)]] | None = Field(  # type: ignore[valid-type]
        default=None, description="A JSON object: by header as it stands there, the column that it means."
    )
    phone_country: Country | None = Field(  # type: ignore[valid-type]
        default=None, description="Whose phone numbers have no country code; else the institution's."
    )


class ImportOut(StatefulOut):
    """A file on its way in: what its rows would do, and what they did."""

    kind: str
    mode: str
    blanks: str
    source: str | None
    mapping: dict[str, str] = Field(description="By header, the column that was said to be meant.")
    headers: dict[str, str] = Field(description="By column, its header in the file.")
    ignored: list[str] = Field(description="Headers that nobody knows.")
    trouble: ReasonOut | None = Field(description="Why it came to a halt.")
    size: int = Field(description="In bytes.")
    uploaded_by: UUID
    applied_by: UUID | None
    created_at: datetime
    staged: int = Field(description="Rows that were read.")
    creates: int = Field(description="Rows that create something.")
    updates: int = Field(description="Rows that change something.")
    unchanged: int = Field(description="Rows that say what is on record.")
    faulty: int = Field(description="Rows that cannot be taken in.")
    done: int = Field(description="Rows that were applied.")
    undone: int = Field(description="Rows that were taken back.")


class FindingOut(ReasonOut):
    """A fault of a row, or how a cell of it was understood."""

    column: str = Field(description="The header, as the file writes it.")
    fault: bool = Field(description="Whether it keeps the row from being taken in.")


class ImportRowOut(Out):
    """What becomes of a row."""

    line: int = Field(description="The number of the line, as a spreadsheet shows it.")
    outcome: str
    item_id: UUID | None = Field(description="What it created or changed, or would change.")
    key: str | None = Field(description="The student number, where the row has one.")
    findings: list[FindingOut]


class ImportRowsOut(Out):
    """Rows in the order of the file."""

    items: list[ImportRowOut]
    next: int | None = Field(description="Give it as `after` for the next ones; null at the end.")


class ImportRowsQuery(Limited):
    """Parameters of the report on the rows."""

    after: Annotated[int, Field(ge=0, lt=2**31)] = 0
    outcome: Literal[OUTCOMES] | None = Field(default=None, description="Only rows of this outcome.")  # type: ignore[valid-type]


EXAMPLE: dict[str, Any] = {
    "kind": "trainees",
    "mode": "good",
    "source": "Nursing school",
    "mapping": '{"Reg. no.": "student_no"}',
    "file": "(bytes)",
}
