"""Forms with one file (multipart/form-data, RFC 7578), read as they arrive: no more than a chunk is in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from service.api.problems import Problem, because, from_validation

MEDIA = "multipart/form-data"
FILE = "file"
FIELD_BYTES = 16 * 1024
MOST_FIELDS = 20


class Form:
    """A form on its way in: fields that the model declares, each once, and the file.

    Parts come in any order; what was said is known when the last chunk of the file has been asked for.

    Raises: Problem where the request is no such form.
    """

    def __init__(self, request: Request, model: type[BaseModel]) -> None:
        media, options = parse_options_header(request.headers.get("content-type", ""))
        if media.decode("latin-1").lower() != MEDIA:
            raise Problem("unsupported-media-type")
        self._request = request
        self._model = model
        self._fields: dict[str, str] = {}
        self._said: Any = None
        self._header = (bytearray(), bytearray())
        self._name = ""
        self._value: bytearray | None = None
        self._file_seen = False
        self._waiting: list[bytes] = []
        self._ended = False
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._begin_content,
            "on_part_data": self._content,
            "on_part_end": self._end_content,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(options.get(b"boundary", b""), callbacks)
        except FormParserError:
            raise Problem("malformed-body") from None
        if not options.get(b"boundary"):
            raise Problem("malformed-body")

    @property
    def said(self) -> Any:
        """The fields, as the model read them; known when the chunks have ended."""
        if self._said is None:
            raise RuntimeError("the form has not been read to its end")
        return self._said

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file; at their end the whole form has been read and found good.

        Raises: Problem, and ClientDisconnect where the client leaves.
        """
        async for data in self._request.stream():
            try:
                self._parser.write(data)
            except FormParserError:
                raise Problem("malformed-body") from None
            for chunk in self._waiting:
                yield chunk
            self._waiting.clear()
        if not self._ended:
            raise Problem("malformed-body")
        try:
            self._said = self._model.model_validate_strings(self._fields)
        except ValidationError as error:
            raise from_validation(error, self._fields) from None
        if not self._file_seen:
            raise Problem("invalid", reasons=[because("missing", "Field required", pointer=f"/{FILE}")])

    # ---- what the parser meets, in order
    def _begin(self) -> None:
        self._name = ""

    def _header_end(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            _, options = parse_options_header(bytes(value))
            self._name = _text(options.get(b"name", b""))
        name.clear()
        value.clear()

    def _begin_content(self) -> None:
        twice = self._file_seen if self._name == FILE else self._name in self._fields
        if not self._name or twice or len(self._fields) >= MOST_FIELDS:
            raise Problem("malformed-body")
        if self._name == FILE:
            self._file_seen, self._value = True, None
        else:
            self._value = bytearray()

    def _content(self, data: bytes, start: int, end: int) -> None:
        if self._value is None:
            self._waiting.append(data[start:end])
        elif len(self._value) + end - start > FIELD_BYTES:
            raise Problem("too-large")
        else:
            self._value.extend(data[start:end])

    def _end_content(self) -> None:
        if self._value is not None:
            self._fields[self._name] = _text(bytes(self._value))

    def _end(self) -> None:
        self._ended = True


def _text(data: bytes) -> str:
    """Text in UTF-8: another encoding would be kept as other words than were sent."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem("malformed-body") from None


def form_body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """What the OpenAPI document says of such a form."""
    schema = model.model_json_schema()
    schema["properties"] |= {FILE: {"type": "string", "format": "binary", "description": "The file itself."}}
    schema["required"] = [*schema.get("required", []), FILE]
    return {"required": True, "content": {MEDIA: {"schema": schema, "example": example}}}
