"""What is asked of streams, and what they are opened by."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from service.api.schemas.common import Asking, Out

SECONDS_MOST = 600


class Following(Asking):
    """How long to follow."""

    seconds: Annotated[int, Field(ge=1, le=SECONDS_MOST)] = Field(
        default=SECONDS_MOST, description="The stream ends after so many seconds; connect again to go on."
    )


class StreamAsked(Following):
    """Where in the feed to begin."""

    after: Annotated[int, Field(ge=0, lt=2**62)] | None = Field(
        default=None, description="The last number that is known; from now on where none is given."
    )
    ticket: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="For a browser's EventSource, which sends no Authorization header."
    )


class TicketOut(Out):
    """A ticket: whoever has it may open one stream, once."""

    ticket: str
    expires_at: datetime
