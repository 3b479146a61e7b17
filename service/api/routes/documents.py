"""Documents over HTTP: taken in as a form with one file, given out as an attachment and never as a page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from service.actions import reading
from service.actions.documents import SUBJECT, Content, PurposeNeeded, open_content, take_in
from service.api.messages import told
from service.api.operations import Asked, Operation, Operations
from service.api.problems import Problem
from service.api.routes.subjects import Resource, moved, replied, routes_of
from service.api.schemas.common import MovedOut
from service.api.schemas.documents import DocumentIn, DocumentOut
from service.api.schemas.trainees import PurposeIn
from service.api.uploads import Form, form_body
from service.domain.lifecycle import Reason
from service.storage.documents import VIEW
from service.storage.files import ENDINGS, Missing, NotAccepted, Stored, TooLarge, Unreachable

RESOURCE = Resource(SUBJECT, VIEW, DocumentOut, policy="documents.read", tag="documents")
NAME_MOST = 120
PERSON = "0192f0c1-7c52-7d7e-9f0e-5f3f6f2f9f10"
EXAMPLE = {"person_id": PERSON, "kind": "diploma", "title": "毕业证书 2026", "file": "(bytes)"}


async def _upload(asked: Asked) -> Response:
    """Who asks comes first here: nobody's twenty megabytes are read before it is known whose they are."""
    await reading.who_asks(asked.services, asked.call)
    form = Form(asked.request, DocumentIn)

    def said() -> tuple[UUID | None, Mapping[str, Any]]:
        return form.said.person_id, {"kind": form.said.kind, "title": form.said.title}

    def digest(content: Stored) -> bytes:
        return sha256(asked.call.body + to_json(form.said) + content.sha256.encode()).digest()

    try:
        done = await take_in(asked.services, asked.call, form.chunks(), said, digest, answer=moved)
    except TooLarge:
        raise Problem("too-large") from None
    except NotAccepted as no:
        reason = told(Reason(f"file_{no.code}", pointer="/file"), asked.language)
        raise Problem("unsupported-media-type" if no.code == "unknown_kind" else "invalid", reasons=[reason]) from None
    except Unreachable:
        raise Problem("unavailable") from None
    return replied(done, status=201, version=1)


def filename(title: str, media_type: str) -> str:
    """A name that misleads no file system and no reader: no paths, no control or direction marks, its own ending."""
    ending = ENDINGS.get(media_type, "bin")
    plain = "".join(" " if unicodedata.category(ch)[0] in "CZ" else ch for ch in unicodedata.normalize("NFC", title))
    plain = re.sub(r'[<>:"/\\|?*%;]', "_", plain)
    plain = re.sub(r"\s+", " ", plain).strip(" .")[:NAME_MOST].strip(" .")
    plain = re.sub(rf"\.{ending}$", "", plain, flags=re.IGNORECASE)
    return f"{plain or 'document'}.{ending}"


def disposition(name: str) -> str:
    """An attachment of that name (RFC 6266): in ASCII for the oldest clients, whole for the rest."""
    ascii_only = "".join(ch if ch.isascii() else "_" for ch in name)
    return f"attachment; filename=\"{ascii_only}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _give_out(asked: Asked, purpose: str | None) -> Response:
    try:
        content: Content = await open_content(asked.services, asked.call, asked.id, purpose)
    except PurposeNeeded:
        raise Problem("forbidden", reasons=[told(Reason("purpose_needed"), asked.language)]) from None
    except (Missing, Unreachable):  # the row is there, so the bytes must be: the store is not as it should be
        raise Problem("unavailable") from None
    return StreamingResponse(
        content.chunks,
        media_type=content.media_type,  # Starlette adds the charset of text
        headers={
            "content-length": str(content.size),
            "content-disposition": disposition(filename(content.title, content.media_type)),
            "content-security-policy": "default-src 'none'; sandbox",
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
        },
    )


async def _content(asked: Asked) -> Response:
    return await _give_out(asked, None)


async def _content_for(asked: Asked) -> Response:
    return await _give_out(asked, asked.body.purpose)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    schema = {"schema": {"type": "string", "format": "binary"}}
    any_file = {"description": "The document, as an attachment.", "content": dict.fromkeys(ENDINGS, schema)}
    as_file: dict[str, Any] = {"response_class": Response, "openapi_extra": {"responses": {"200": any_file}}}
    o = Operations("documents")
    o.add(
        Operation(
            "POST",
            "/documents",
            "documents_create",
            "Upload a document",
            _upload,
            "create",
            "lifecycle",
            MovedOut,
            status=201,
            keyed=True,
            extra={"openapi_extra": {"requestBody": form_body(DocumentIn, EXAMPLE)}},
        )
    )
    o.add(
        Operation(
            "GET",
            "/documents/{id}/content",
            "documents_content",
            "Read a document's file",
            _content,
            "read",
            "documents.read",
            extra=as_file,
        )
    )
    o.add(
        Operation(
            "POST",
            "/documents/{id}/content",
            "documents_open",
            "Open a sensitive document's file for a purpose that the person can read",
            _content_for,
            "open",
            "documents.read",
            body=PurposeIn,
            extra=as_file,
        )
    )
    return [o, routes_of(RESOURCE)]
