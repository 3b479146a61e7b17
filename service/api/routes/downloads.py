"""Lists as files over HTTP: the same filters as the list, all of its rows, with their number in the headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import BaseModel, create_model
from starlette.responses import Response, StreamingResponse

from service.actions import exports
from service.api.messages import told
from service.api.operations import Asked, Operation
from service.api.problems import Problem
from service.api.schemas.common import Exporting, Paged
from service.domain.lifecycle import Reason
from service.storage.views import View

EXPORTED: dict[str, Any] = {
    "description": "The file, whole.",
    "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in exports.MEDIA.values()},
    "headers": {"x-row-count": {"description": "How many rows it has.", "schema": {"type": "integer"}}},
}
FILE: dict[str, Any] = {"response_class": Response, "openapi_extra": {"responses": {"200": EXPORTED}}}


def filters_of(query: Any) -> dict[str, Any]:
    """What was asked for, without what says how much of it and in which order."""
    reserved = {*Paged.model_fields, *Exporting.model_fields, "sort"}
    names = (n for n in type(query).model_fields if n not in reserved)
    return {n: value for n in names if (value := getattr(query, n)) is not None}


async def download(
    asked: Asked,
    view: View,
    policy: str,
    *,
    title: str,
    names: list[str],
    filters: Mapping[str, Any],
    sort: str | None = None,
    show: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Response:
    """All rows that the actor sees, as a file of the form asked for."""
    query = asked.query
    try:
        made = await exports.export(
            asked.services, asked.call, view, policy, form=query.format, names=names, filters=filters, sort=sort,
            downward=query.order == "newest", show=show,
        )  # fmt: skip
    except exports.TooManyRows:
        reason = told(Reason("export_too_large", required=exports.ROWS_MOST, pointer="query"), asked.language)
        raise Problem("invalid", reasons=[reason]) from None
    headers = {
        "content-length": str(made.size),
        "content-disposition": f'attachment; filename="{title}.{query.format}"',
        "x-row-count": str(made.rows),
        "cache-control": "no-store",
    }
    return StreamingResponse(made.content, media_type=exports.MEDIA[query.format], headers=headers)


def downloading(
    path: str,
    name: str,
    view: View,
    policy: str,
    out: type[BaseModel],
    query: type[BaseModel],
    *,
    sort: str | None = None,
    within: Callable[[Asked], Awaitable[dict[str, Any]]] | None = None,
) -> Operation:
    """A list beside the lifecycles as a file; `within` gives the filters that its address names."""
    own: dict[str, Any] = {n: (f.annotation, f) for n, f in query.model_fields.items() if n not in Paged.model_fields}
    asked_by = create_model(
        f"{query.__name__}File", __base__=Exporting, __doc__="Parameters of the list as a file.", **own
    )

    async def handle(asked: Asked) -> Response:
        filters = filters_of(asked.query) | (await within(asked) if within else {})
        title = path.removesuffix("/export").rsplit("/", 1)[1]
        return await download(
            asked, view, policy, title=title, names=list(out.model_fields), filters=filters, sort=sort
        )

    words = path.removesuffix("/export").rsplit("/", 1)[1].replace("-", " ")
    return Operation(
        "GET", path, name, f"Download the list of {words} as CSV, XLSX or NDJSON", handle, "list", policy,
        query=asked_by, extra=FILE,
    )  # fmt: skip


__all__ = ["FILE", "download", "downloading", "filters_of"]
