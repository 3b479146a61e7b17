"""The bytes of documents, in a local folder or in S3: taken in bounded, recognised by what they are, never by a name.

Nothing reaches the store before all of it has been looked at, so that a refused document leaves nothing behind.
"""

import asyncio
import codecs
import hashlib
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CSV = "text/csv"
TEXT = "text/plain"
ENDINGS = {PDF: "pdf", PNG: "png", JPEG: "jpg", XLSX: "xlsx", DOCX: "docx", CSV: "csv", TEXT: "txt"}

IN_MEMORY_BYTES = 512 * 1024  # of a document on its way in; the rest waits on disk
PART_BYTES = 5 * 1024 * 1024  # of an upload to S3, which takes no smaller ones
CHUNK_BYTES = 256 * 1024
UNPACKED_BYTES = 100 * 1024 * 1024  # of an office file: the largest that are seen have about half
DIRECTORY_BYTES = 1024 * 1024  # of the list of parts of an office file, which is read into memory


class TooLarge(Exception):
    """The document has more bytes than allowed; `limit` says how many are."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class NotAccepted(Exception):
    """The document is of no kind that is kept; `code` says why.

    Codes: empty, unknown_kind, damaged, encrypted, macros, unpacks_too_large.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Missing(Exception):
    """There are no bytes under this id."""


class Unreachable(Exception):
    """The store does not answer, or not as it should: try again soon."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored; `sha256` is in hexadecimal digits, `size` in bytes."""

    sha256: str
    size: int
    media_type: str


class Files:
    """The store at `file:///folder` or `s3://bucket/prefix`.

    `options` are those of S3 (region, endpoint, access_key_id, secret_access_key, ...). Documents wait in `spool`
    while they are looked at, by default the system's folder for temporary files.

    Raises: ValueError for any other address.
    """

    def __init__(
        self, url: str, options: Mapping[str, str] = MappingProxyType({}), *, spool: Path | None = None
    ) -> None:
        self._spool = spool
        self._store = _open_store(url, options)

    async def put(
        self,
        chunks: AsyncIterator[bytes],
        *,
        institution: UUID,
        document_id: UUID,
        limit: int,
        sniff: "Callable[[IO[bytes], int], str] | None" = None,
    ) -> Stored:
        """Take a document of at most `limit` bytes in; one that was there under the same id is replaced as a whole.

        `sniff` says of which kind it is, where that is not one of the kinds of documents.

        Raises: TooLarge, NotAccepted, Unreachable.
        """
        with tempfile.SpooledTemporaryFile(
            max_size=IN_MEMORY_BYTES, dir=str(self._spool) if self._spool else None
        ) as waiting:
            digest = hashlib.sha256()
            size = 0
            async for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise TooLarge(limit)
                digest.update(chunk)
                waiting.write(chunk)  # in this thread: into the system's cache, and never after the file was closed
            media_type = await asyncio.to_thread(sniff or recognise, cast("IO[bytes]", waiting), size)
            waiting.seek(0)
            with _translated():
                await obstore.put_async(
                    self._store,
                    _key(institution, document_id),
                    cast("IO[bytes]", waiting),
                    chunk_size=PART_BYTES,
                    max_concurrency=2,
                )
        return Stored(digest.hexdigest(), size, media_type)

    async def get(self, *, institution: UUID, document_id: UUID) -> AsyncIterator[bytes]:
        """Open a document: what is missing is known before the first byte goes out.

        Raises: Missing, Unreachable (also while the chunks are read).
        """
        with _translated():
            found = await obstore.get_async(self._store, _key(institution, document_id))

        async def chunks() -> AsyncIterator[bytes]:
            with _translated():
                async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                    yield bytes(chunk)

        return chunks()

    async def delete(self, *, institution: UUID, document_id: UUID) -> None:
        """Remove a document; one that is gone already is no error.

        Raises: Unreachable.
        """
        try:
            with _translated():
                await obstore.delete_async(self._store, _key(institution, document_id))
        except Missing:
            return

    async def exists(self, *, institution: UUID, document_id: UUID) -> bool:
        """Whether there are bytes under this id.

        Raises: Unreachable.
        """
        try:
            with _translated():
                await obstore.head_async(self._store, _key(institution, document_id))
        except Missing:
            return False
        return True


def _open_store(url: str, options: Mapping[str, str]) -> LocalStore | S3Store:
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        folder = Path(unquote(parts.path))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(folder)
    if parts.scheme == "s3" and parts.netloc:
        client: ClientConfig = {"timeout": "60s", "connect_timeout": "5s"}
        if options.get("endpoint", "").startswith("http://"):  # a store on this machine or in its own network
            client["allow_http"] = True
        return S3Store(
            parts.netloc, prefix=parts.path.strip("/") or None, config=cast("S3Config", options), client_options=client
        )
    msg = "documents are kept at file:///folder or s3://bucket/prefix"
    raise ValueError(msg)


def _key(institution: UUID, document_id: UUID) -> str:
    # The end of a UUIDv7 is random: 256 folders of even size, where one would grow too large to list
    return f"{institution.hex}/{document_id.hex[-2:]}/{document_id.hex}"


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise Missing from error
    except (BaseError, OSError) as error:
        raise Unreachable from error


# What it is -----------------------------------------------------------------------------------------------------------

_SIGNATURES = ((b"%PDF-", PDF), (b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG))

# Text that a browser, a shell or a word processor would take for more than text.
_NOT_PLAIN = re.compile(r"\s*(<|#!|%!|\{\\rtf)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def recognise(file: IO[bytes], size: int) -> str:
    """Say of which kind a document is, by its bytes alone.

    Raises: NotAccepted.
    """
    if size == 0:
        raise NotAccepted("empty")
    file.seek(0)
    head = file.read(8)
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head.startswith(b"PK\x03\x04"):
        return _recognise_office(file, size)
    return _recognise_text(file)


def _recognise_text(file: IO[bytes]) -> str:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    beginning = ""
    try:
        while chunk := file.read(CHUNK_BYTES):
            text = decoder.decode(chunk)
            if _CONTROL.search(text):
                raise NotAccepted("unknown_kind")
            beginning = beginning or text
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise NotAccepted("unknown_kind") from None
    if _NOT_PLAIN.match(beginning):
        raise NotAccepted("unknown_kind")
    lines = [line for line in beginning.splitlines()[:20] if line.strip()]
    first_rows = lines[:2]
    tabular = any(len(first_rows) == 2 and all(s in row for row in first_rows) for s in ",;\t")  # noqa: PLR2004
    return CSV if tabular else TEXT


def _recognise_office(file: IO[bytes], size: int) -> str:
    """Look at the list of parts, then at the sizes that it declares, and only then unpack."""
    if directory_bytes(file, size) > DIRECTORY_BYTES:
        raise NotAccepted("unpacks_too_large")
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > UNPACKED_BYTES:
                raise NotAccepted("unpacks_too_large")
            media_type = _office_kind(parts)
            # Reads no further than the declared sizes; what is packed inside must agree with them and its checksums
            if archive.testzip() is not None:
                raise NotAccepted("damaged")
            return media_type
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, struct.error):
        raise NotAccepted("damaged") from None


def _office_kind(parts: list[zipfile.ZipInfo]) -> str:
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise NotAccepted("encrypted")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise NotAccepted("macros")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        raise NotAccepted("unknown_kind")
    if "[Content_Types].xml" in names:
        if "xl/workbook.xml" in names:
            return XLSX
        if "word/document.xml" in names:
            return DOCX
    raise NotAccepted("unknown_kind")


_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")


def directory_bytes(file: IO[bytes], size: int) -> int:
    """How long the archive's list of parts says it is; the reader of archives would load all of it.

    Both places that may say so are asked (APPNOTE.TXT 4.3.14 to 4.3.16), and the second only where every reader
    finds it: right before the first.

    Raises: NotAccepted where there is no such list.
    """
    tail_bytes = min(size, _END.size + 0xFFFF + _LOCATOR.size + _END_64.size)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise NotAccepted("damaged")
    end: tuple[Any, ...] = _END.unpack_from(tail, at)
    declared: int = end[5]
    locator_at = at - _LOCATOR.size
    if locator_at >= _END_64.size and tail.startswith(b"PK\x06\x07", locator_at):
        end_64_at = locator_at - _END_64.size
        offset: int = _LOCATOR.unpack_from(tail, locator_at)[2]
        if offset != size - tail_bytes + end_64_at or not tail.startswith(b"PK\x06\x06", end_64_at):
            raise NotAccepted("damaged")
        declared = max(_END_64.unpack_from(tail, end_64_at)[8], 0 if declared == 0xFFFFFFFF else declared)  # noqa: PLR2004
    return declared
