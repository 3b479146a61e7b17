"""Taking a document in, what its moves leave behind, and giving out its bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from service.actions.reading import check, records
from service.actions.trainees import note_opening
from service.actions.work import (
    Answer,
    Call,
    Done,
    Item,
    KeyMissing,
    KeyReused,
    Missing,
    Services,
    Subject,
    Unauthenticated,
    Wanted,
    Work,
    perform,
)
from service.domain.actors import Sight
from service.domain.documents import DOCUMENT, SENSITIVE_KINDS
from service.domain.lifecycle import Given, Refused, Step
from service.storage import documents as stored
from service.storage.database import BadInput, Conflict
from service.storage.files import Stored, Unreachable
from service.storage.ids import uuid7
from service.storage.tables import trainees as tables

MOST_BYTES = 20 * 1024 * 1024
NOT_DONE = (Refused, Missing, KeyMissing, KeyReused, Unauthenticated, Conflict, BadInput)
"""After these nothing was written for certain; after anything else it may have been, and the bytes stay."""


class PurposeNeeded(Exception):
    """What the document shows is opened for a stated purpose only."""


def upload(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The document's row, which leads to bytes that are stored already."""
    content: Stored = given["content"]
    person = item.stream if item.dossier.about_person else None
    said = {"kind": given["kind"], "media_type": content.media_type, "size": content.size}
    return said | {
        "stream_id": item.stream,
        "person_id": person,
        "title": given["title"],
        "sha256": bytes.fromhex(content.sha256),
        "content_id": given["content_id"],
        "uploaded_by": work.actor.account_id,
        "event_data": said,
    }


SUBJECT: Subject[Any] = Subject(
    "documents",
    DOCUMENT,
    tables.documents,
    stored.FACTS,
    births={"upload": stored.OF_PERSON},
    effects={"upload": upload},
)
_OF_INSTITUTION = replace(SUBJECT, births={"upload": stored.OF_INSTITUTION})


async def take_in(
    services: Services,
    call: Call,
    chunks: AsyncIterator[bytes],
    said: Callable[[], tuple[UUID | None, Mapping[str, Any]]],
    told: Callable[[Stored], bytes],
    *,
    answer: Answer,
) -> Done:
    """Store the bytes, then leave the row and its event in one act; bytes that no row leads to are taken away again.

    `said` is asked after the last chunk: the person, if any, and what else was said. `told` makes the digest that the
    idempotency key stands for.

    Raises:
        TooLarge, NotAccepted, Unreachable: of the bytes, and then nothing is left.
        Missing, KeyReused, Refused and the others of `perform`.
    """
    content_id = uuid7()
    content = await services.files.put(chunks, institution=call.institution, document_id=content_id, limit=MOST_BYTES)
    person, given = said()
    subject, anchor = (_OF_INSTITUTION, call.institution) if person is None else (SUBJECT, person)
    given = {**given, "content": content, "content_id": content_id}
    asked = replace(call, body=told(content))
    try:
        done = await perform(services, asked, subject, "upload", [Wanted(anchor)], given, answer=answer)
    except NOT_DONE:
        await _take_away(services, call, content_id)
        raise
    if done.replayed:
        await _take_away(services, call, content_id)
    return done


async def _take_away(services: Services, call: Call, content_id: UUID) -> None:
    with suppress(Unreachable):  # they lead nowhere: what the caller is told does not change for them
        await services.files.delete(institution=call.institution, document_id=content_id)


@dataclass(frozen=True, slots=True)
class Content:
    """A document's bytes on their way out."""

    title: str
    media_type: str
    size: int
    chunks: AsyncIterator[bytes]


async def open_content(services: Services, call: Call, document: UUID, purpose: str | None = None) -> Content:
    """The bytes of a document; staff open what shows sealed things for a purpose, on record before anything is shown.

    Raises:
        Missing: it is not there, or not seen.
        PurposeNeeded: staff gave none, and the document is of a sensitive kind.
        Unreachable: the store does not answer.
    """
    actor, found = await records(
        services, call, stored.CONTENT.item(call.eyes), "documents.read", by_id=document, limit=1
    )
    row = found[0]
    if row["id"] is None:
        raise Missing
    person = row["person_id"]
    if person is not None and row["kind"] in SENSITIVE_KINDS and actor.sight is Sight.STAFF:
        check(actor, "trainees.open_sealed")
        if purpose is None:
            raise PurposeNeeded
        await note_opening(services, call, person, actor, f"document:{row['kind']}", purpose)
    chunks = await services.files.get(institution=call.institution, document_id=row["content_id"])
    return Content(row["title"], row["media_type"], row["size"], chunks)
