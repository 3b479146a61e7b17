"""What the moves of an import leave behind, how a file is taken in, and what is read of its rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import IO, Any, Final
from uuid import UUID

from pydantic_core import from_json

from service.actions.imports.scans import ARCHIVE_MOST
from service.actions.reading import records
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
from service.domain.imports import IMPORT
from service.domain.lifecycle import Given, Refused, Step
from service.storage import imports as stored
from service.storage.database import BadInput, Conflict
from service.storage.files import NotAccepted, Stored, Unreachable
from service.storage.ids import uuid7
from service.storage.tables import imports as tables
from service.storage.vault import Sealed
from service.storage.views import facts_of_row

NOT_DONE: Final = (Refused, Missing, KeyMissing, KeyReused, Unauthenticated, Conflict, BadInput)
"""After these nothing was written for certain."""
BINARY: Final = (b"%PDF", b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff")


def sniff(file: IO[bytes], size: int) -> str:
    """What a file of rows is, by its first bytes; the worker looks at the rest.

    Raises:
        NotAccepted: neither a workbook nor text.
    """
    if size == 0:
        raise NotAccepted("empty")
    file.seek(0)
    start = file.read(4096)
    if start.startswith(b"PK\x03\x04"):
        return "application/zip"
    if b"\0" in start or start.startswith(BINARY):
        raise NotAccepted("unknown_kind")
    return "text/csv"


def upload(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The import, with the mapping that was given or the one that the same source had the last time."""
    content: Stored = given["content"]
    remembered = item.dossier.remembered if given.get("source") else None
    said = {name: given.get(name) for name in ("kind", "mode", "blanks")}
    return said | {
        "source": given.get("source"),
        "mapping": given.get("mapping") or remembered or {},
        "phone_country": given.get("phone_country"),
        "content_id": given["content_id"],
        "sha256": bytes.fromhex(content.sha256),
        "size": content.size,
        "headers": {},
        "ignored": [],
        "uploaded_by": work.actor.account_id,
        **dict.fromkeys(tables.COUNTED, 0),
        "event_data": said | {"size": content.size},
    }


def check(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The headers as they were understood; the rows are staged already."""
    return {"headers": given["headers"], "ignored": given["ignored"], "event_data": given["told"]}


def fail(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Why it cannot go on."""
    return {"trouble": given["trouble"], "event_data": {"code": given["trouble"]["code"]}}


def apply(work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """From now on under the name of whoever asked for it."""
    return {"applied_by": work.actor.account_id, "trouble": None}


def void(work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """What it did is taken back under the name of whoever asked for it."""
    return {"applied_by": work.actor.account_id, "trouble": None}


def keep(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Why what is left of it stays."""
    trouble = given.get("trouble")
    return {"trouble": trouble} | ({"event_data": {"code": trouble["code"]}} if trouble else {})


SUBJECT: Subject[Any] = Subject(
    "imports",
    IMPORT,
    tables.imports,
    stored.FACTS,
    births={"upload": stored.NEW_FACTS, "void": stored.VOID_FACTS},
    effects={"upload": upload, "check": check, "fail": fail, "undo": fail, "apply": apply, "void": void, "keep": keep},
    kind="import",
)


async def take_in(
    services: Services,
    call: Call,
    chunks: AsyncIterator[bytes],
    said: Callable[[], Mapping[str, Any]],
    told: Callable[[Stored], bytes],
    *,
    answer: Answer,
    limit: int = ARCHIVE_MOST,
) -> Done:
    """Keep the file, then leave the import for the worker; bytes that no import leads to are taken away again.

    `said` is asked after the last chunk. `told` makes the digest that the idempotency key stands for.

    Raises:
        TooLarge, NotAccepted, Unreachable: of the bytes, and then nothing is left.
        KeyReused, Refused and the others of `perform`.
    """
    content_id = uuid7()
    content = await services.files.put(
        chunks, institution=call.institution, document_id=content_id, limit=limit, sniff=sniff
    )
    given = {**said(), "content": content, "content_id": content_id}
    asked = replace(call, body=told(content))
    extra = {"kind": given["kind"], "source": given.get("source")}
    try:
        done = await perform(
            services, asked, SUBJECT, "upload", [Wanted(call.institution)], given, answer=answer, extra=extra
        )
    except NOT_DONE:
        await take_away(services, call.institution, content_id)
        raise
    if done.replayed:
        await take_away(services, call.institution, content_id)
    return done


async def take_away(services: Services, institution: UUID, content_id: UUID) -> None:
    """The file is no longer needed."""
    with suppress(Unreachable):
        await services.files.delete(institution=institution, document_id=content_id)


async def rows(
    services: Services, call: Call, import_id: UUID, *, after: int, limit: int, outcome: str | None
) -> list[dict[str, Any]]:
    """What is said of the rows of an import, by line.

    Raises:
        Missing: it is not there, or not seen.
    """
    statement = stored.rows_of(call.eyes, by_outcome=outcome is not None)
    asked: dict[str, Any] = {"by_id": import_id, "after": after, "limit": limit}
    if outcome is not None:
        asked["outcome"] = outcome
    _, found = await records(services, call, statement, "imports.read", **asked)
    if found[0]["import_id"] is None:
        raise Missing
    return [_shown(services, call, import_id, facts_of_row(r)) for r in found if r["id"] is not None]


def _shown(services: Services, call: Call, import_id: UUID, row: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if row["sealed"] is not None and row["wrapped"] is not None:
        with suppress(Sealed):
            key = services.vault.stream_key(row["wrapped"], call.institution, import_id)
            said = from_json(key.open(row["sealed"], call.institution, import_id, "row"))
    shown = {name: row[name] for name in ("line", "outcome", "item_id")}
    return shown | {"key": said.get("key"), "findings": said.get("findings", [])}
