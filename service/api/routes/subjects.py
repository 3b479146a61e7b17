"""The routes that every subject with a lifecycle has: lists, items, actions, events, each action alone and in bulk."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, create_model
from pydantic_core import to_json
from starlette.responses import Response

from service.actions import reading
from service.actions.work import Done, Result, Subject, Wanted, Work, offers, perform
from service.api.bulk import births_model, distinct, items_model
from service.api.inputs import action_model, given_of, kind_of
from service.api.messages import offered, refused
from service.api.operations import Asked, Operation, Operations, respond
from service.api.problems import Problem
from service.api.routes.downloads import FILE, download, filters_of
from service.api.schemas.common import (
    ActionsOut,
    After,
    Asking,
    BulkOut,
    EventsOut,
    Exporting,
    Itemised,
    MovedOut,
    Paged,
    PageOut,
)
from service.domain.lifecycle import KERNEL_ACTIONS, Given
from service.storage.views import View


@dataclass(frozen=True)
class Birth:
    """How something is born over HTTP: which field of the body names what it is born from.

    Without an anchor it is born from the institution itself. `extra` are further ids that its facts need.
    """

    anchor: str | None = None
    extra: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True)
class Resource:
    """A subject with its face to the outside."""

    subject: Subject[Any]
    view: View
    out: type[BaseModel]
    policy: str
    tag: str
    births: Mapping[str, Birth] = field(default_factory=dict)
    summaries: Mapping[str, str] = field(default_factory=dict)
    present: Callable[[Asked, dict[str, Any]], dict[str, Any]] | None = None
    prepare: Callable[[Asked, dict[str, Any]], dict[str, Any]] | None = None
    hidden: Sequence[str] = ()
    apart: Sequence[str] = ()
    """Actions that are offered like all, and whose operation the capability declares itself."""
    includes: Mapping[str, Callable[[Asked, list[dict[str, Any]]], Awaitable[None]]] = field(default_factory=dict)
    """What a read may ask for beside the actions: by its name, what adds it to the rows of a page, all at once."""
    whole: tuple[View, type[BaseModel]] | None = None
    """How one item is read, where it shows more than a line of a list does."""

    called: str | None = None
    """Its name in paths, where it is another view of a subject than the subject's own."""

    @property
    def plural(self) -> str:
        """The name in paths."""
        return self.called or self.subject.plural

    @property
    def path(self) -> str:
        """The address under /v1."""
        return "/" + self.plural.replace("_", "-")

    @property
    def stream(self) -> str:
        """The column that names the stream."""
        return self.subject.facts.stream

    def show(self, asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
        """A row as a client reads it."""
        return self.present(asked, row) if self.present else row


def lists_of(resource: Resource) -> Operations:
    """What is listed and downloaded, and nothing done with it."""
    router, plural, path = Operations(resource.tag), resource.plural, resource.path
    router.add(
        Operation(
            "GET",
            path,
            f"{plural}_list",
            f"List {plural.replace('_', ' ')}",
            _list(resource),
            "list",
            resource.policy,
            PageOut[resource.out],  # type: ignore[name-defined]
            query=_query_of(resource),
        )
    )
    router.add(
        Operation(
            "GET",
            path + "/export",
            f"{plural}_export",
            f"Download {plural.replace('_', ' ')} as CSV, XLSX or NDJSON, with ids and versions",
            _export(resource),
            "list",
            resource.policy,
            query=_query_of(resource, Exporting, "ExportQuery"),
            extra=FILE,
        )
    )
    return router


def routes_of(resource: Resource) -> Operations:
    """Every operation that a resource has by being one."""
    router = lists_of(resource)
    plural, path, one = resource.plural, resource.path, resource.subject.lifecycle.name.replace("_", " ")
    lifecycle = resource.subject.lifecycle
    for action in lifecycle.births():
        if action in resource.births:
            _add_birth(router, resource, action, resource.births[action])
    router.add(
        Operation(
            "GET",
            path + "/{id}",
            f"{plural}_get",
            f"Read one {one}",
            _get(resource),
            "read",
            resource.policy,
            resource.whole[1] if resource.whole else resource.out,
            query=create_model(f"{resource.out.__name__}Asked", __base__=Itemised, **_including(resource))
            if resource.includes
            else Itemised,
            extra={"openapi_extra": {"responses": {"304": {"description": "It is as it was read (If-None-Match)."}}}},
        )
    )
    router.add(
        Operation(
            "GET",
            path + "/{id}/actions",
            f"{plural}_actions",
            f"What can be done with this {one}, and why not",
            _actions(resource),
            "read",
            resource.policy,
            ActionsOut,
        )
    )
    router.add(
        Operation(
            "GET",
            path + "/{id}/events",
            f"{plural}_events",
            f"What happened to this {one}",
            _events(resource),
            "read",
            resource.policy,
            EventsOut,
            query=After,
        )
    )
    for action in lifecycle.actions():
        if action in (*resource.hidden, *resource.apart) or _system_only(resource, action):
            continue
        _add_action(router, resource, action)
    # The first match answers: `/bulk/verify` must stand before `/{id}/verify`.
    router.routes.sort(key=lambda route: "/{id}" in getattr(route, "path", ""))
    return router


def _system_only(resource: Resource, action: str) -> bool:
    rules = resource.subject.lifecycle.by_action.get(action, [])
    return bool(rules) and all(set(r.who) == {"system"} for r in rules)


# ---- reads
def _including(resource: Resource) -> dict[str, Any]:
    """The parameter `include`, where there is more to include than every resource has."""
    return {"include": (Literal[("actions", *resource.includes)] | None, None)} if resource.includes else {}


async def _include(resource: Resource, asked: Asked, rows: list[dict[str, Any]]) -> None:
    wanted = asked.query.include
    if wanted == "actions":
        await _with_actions(resource, asked, rows)
    elif wanted is not None:
        await resource.includes[wanted](asked, rows)


def _query_of(resource: Resource, base: type[BaseModel] = Paged, ending: str = "Query") -> type[BaseModel]:
    fields: dict[str, Any] = _including(resource) if issubclass(base, Paged) else {}
    for name, (type_, _) in resource.view.filters.items():
        python = getattr(type_, "python_type", str)
        fields[name] = (
            Annotated[kind_of(python), Field(description=f"Only those with this {name.replace('_', ' ')}.")] | None,
            None,
        )
    if resource.view.sorts:
        fields["sort"] = (Literal[tuple(resource.view.sorts)] | None, None)
    plural = "".join(p.capitalize() for p in resource.plural.split("_"))
    return create_model(f"{plural}{ending}", __base__=base, **fields)


def cursor_of(value: UUID | None) -> str | None:
    """An id as a cursor."""
    return base64.urlsafe_b64encode(value.bytes).decode().rstrip("=") if value else None


def read_cursor(written: str | None) -> UUID | None:
    """The id of a cursor.

    Raises:
        Problem: it is none of ours.
    """
    if written is None:
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(written + "=="))
    except ValueError:
        raise Problem(
            "invalid",
            reasons=[{"code": "cursor_known", "text": "This cursor was not given out here", "pointer": "query/after"}],
        ) from None


async def _with_actions(resource: Resource, asked: Asked, rows: list[dict[str, Any]]) -> None:
    found = await offers(asked.services, asked.call, resource.subject, [r["id"] for r in rows])
    for row in rows:
        _, mine = found.get(row["id"], (0, []))
        row["actions"] = [offered(o, asked.language) for o in mine if o.action not in resource.hidden]


def _export(resource: Resource) -> Callable[[Asked], Any]:
    names = [n for n in resource.out.model_fields if n != "actions"]

    async def handle(asked: Asked) -> Response:
        return await download(
            asked, resource.view, resource.policy, title=resource.plural, names=names,
            filters=filters_of(asked.query), sort=getattr(asked.query, "sort", None),
            show=(lambda row: resource.show(asked, row)) if resource.present else None,
        )  # fmt: skip

    return handle


def _list(resource: Resource) -> Callable[[Asked], Any]:
    async def handle(asked: Asked) -> Response:
        query = asked.query
        filters = filters_of(query)
        found = await reading.page(
            asked.services, asked.call, resource.view, resource.policy, filters=filters, limit=query.limit,
            after=read_cursor(query.after), sort=getattr(query, "sort", None), downward=query.order == "newest",
        )  # fmt: skip
        rows = [resource.show(asked, r) for r in found.items]
        if rows:
            await _include(resource, asked, rows)
        following = cursor_of(found.next)
        headers = {}
        if following:
            url = asked.request.url.include_query_params(after=following)
            headers["link"] = f'<{url.path}?{url.query}>; rel="next"'
        return respond({"items": rows, "next": following}, headers=headers)

    return handle


def _get(resource: Resource) -> Callable[[Asked], Any]:
    view = resource.whole[0] if resource.whole else resource.view

    async def handle(asked: Asked) -> Response:
        row = resource.show(asked, await reading.item(asked.services, asked.call, view, resource.policy, asked.id))
        version = row["version"]
        if asked.query.include is not None:
            await _include(resource, asked, [row])
            return respond(row, version=version)
        answer = respond(row, version=version)
        if asked.request.headers.get("if-none-match") == answer.headers["etag"]:
            return Response(status_code=304, headers={"etag": answer.headers["etag"], "vary": answer.headers["vary"]})
        return answer

    return handle


def _actions(resource: Resource) -> Callable[[Asked], Any]:
    async def handle(asked: Asked) -> Response:
        row = await reading.item(asked.services, asked.call, resource.view, resource.policy, asked.id)
        found = await offers(asked.services, asked.call, resource.subject, [row["id"]])
        version, mine = found.get(row["id"], (row["version"], []))
        shown = [offered(o, asked.language) for o in mine if o.action not in resource.hidden]
        return respond({"id": row["id"], "version": version, "actions": shown})

    return handle


def _events(resource: Resource) -> Callable[[Asked], Any]:
    async def handle(asked: Asked) -> Response:
        limit = asked.query.limit
        found = await reading.events(
            asked.services,
            asked.call,
            resource.subject.table,
            resource.stream,
            resource.policy,
            asked.id,
            after=asked.query.after,
            limit=limit,
        )
        return respond({"items": found, "next": found[-1]["seq"] if len(found) == limit else None})

    return handle


# ---- acts
def moved(work: Work, results: list[Result]) -> bytes:
    """The answer of a single act."""
    r = results[0]
    return to_json(
        {"id": r.id, "state": r.state, "version": r.version, "action_id": work.action_id, "created": r.created}
    )


def in_bulk(language: str) -> Callable[[Work, list[Result]], bytes]:
    """The answer of an act on many."""

    def answer(work: Work, results: list[Result]) -> bytes:
        items = [
            {
                "id": r.id,
                "done": r.state is not None,
                "state": r.state,
                "version": r.version,
                "created": r.created,
                "error": r.error or ("refused" if r.refused else None),
                "reasons": refused(r.refused, language),
            }
            for r in results
        ]
        done = sum(1 for r in results if r.state is not None)
        return to_json({"action_id": work.action_id, "done": done, "refused": len(items) - done, "items": items})

    return answer


def given_to(
    resource: Resource, action: str, asked: Asked, model: BaseModel, leave: Sequence[str] = ()
) -> dict[str, Any]:
    """What the body gives to the rules."""
    takes = [t for r in resource.subject.lifecycle.by_action.get(action, []) for t in r.takes]
    given = {n: v for n, v in given_of(model, takes).items() if n not in leave}
    return resource.prepare(asked, given) if resource.prepare else given


def replied(done: Done, *, status: int = 200, version: int | None = None) -> Response:
    """The answer of an act; a replay says so."""
    headers = {"idempotent-replayed": "true"} if done.replayed else {}
    return respond(done.body, status=status, version=version, headers=headers)


def _add_action(router: Operations, resource: Resource, action: str) -> None:
    subject, plural = resource.subject, resource.plural
    body = action_model(subject.lifecycle, action)
    summary = (
        resource.summaries.get(action)
        or f"{action.replace('_', ' ').capitalize()} (one {subject.lifecycle.name.replace('_', ' ')})"
    )

    async def handle(asked: Asked) -> Response:
        given = given_to(resource, action, asked, asked.body)
        done = await perform(
            asked.services, asked.call, subject, action, [Wanted(asked.id, asked.if_match)], given, answer=moved,
            extra=_extras(subject, action, given),
        )  # fmt: skip
        return replied(done, version=_version_in(done.body))

    method, path = (
        ("PATCH", resource.path + "/{id}") if action == "edit" else ("POST", resource.path + "/{id}/" + action)
    )
    router.add(
        Operation(
            method,
            path,
            f"{plural}_{action}",
            summary,
            handle,
            "action",
            "lifecycle",
            MovedOut,
            body,
            versioned=True,
            keyed=True,
        )
    )
    if action in (*KERNEL_ACTIONS, "edit"):
        return
    many = items_model(subject, action, body)

    async def handle_many(asked: Asked) -> Response:
        given = given_to(resource, action, asked, asked.body, leave=("items",))

        def own(item: Any) -> Given:
            return given_to(resource, action, asked, item, leave=("id", "version"))

        wanted = distinct([Wanted(i.id, i.version, own(i)) for i in asked.body.items], "/items")
        done = await perform(
            asked.services, asked.call, subject, action, wanted, given, answer=in_bulk(asked.language), single=False,
            extra=_extras(subject, action, given),
        )  # fmt: skip
        return replied(done)

    router.add(
        Operation(
            "POST",
            f"{resource.path}/bulk/{action}",
            f"{plural}_bulk_{action}",
            f"{summary.split(' (')[0]} (many at once)",
            handle_many,
            "bulk",
            "lifecycle",
            BulkOut,
            many,
            keyed=True,
        )
    )


def _extras(subject: Subject[Any], action: str, given: Given) -> dict[str, Any]:
    """What the action's own facts need of its input, where it has facts of its own."""
    facts = subject.births.get(action)
    return {name: given.get(name) for name in facts.extra} if facts else {}


def _version_in(body: bytes) -> int:
    from pydantic_core import from_json  # noqa: PLC0415

    return int(from_json(body)["version"])


def _add_birth(router: Operations, resource: Resource, action: str, birth: Birth) -> None:
    subject, plural = resource.subject, resource.plural
    only = len(resource.births) == 1
    path = resource.path if only else f"{resource.path}/{action}"
    summary = birth.summary or f"{action.replace('_', ' ').capitalize()} one {subject.lifecycle.name.replace('_', ' ')}"
    body = action_model(subject.lifecycle, action, birth.anchor, birth.extra)

    def extras(given: Given) -> dict[str, Any]:
        return {name: given.get(name) for name in subject.births[action].extra}

    async def handle(asked: Asked) -> Response:
        given = given_to(resource, action, asked, asked.body)
        anchor = given[birth.anchor] if birth.anchor else asked.call.institution
        done = await perform(
            asked.services, asked.call, subject, action, [Wanted(anchor)], given, answer=moved, extra=extras(given)
        )
        return replied(done, status=201, version=1)

    name = f"{plural}_create" if only else f"{plural}_{action}"
    router.add(
        Operation("POST", path, name, summary, handle, "create", "lifecycle", MovedOut, body, status=201, keyed=True)
    )
    if birth.anchor is None:
        return
    alone = action_model(subject.lifecycle, action, None, birth.extra)
    anchor, anchors = birth.anchor, f"{birth.anchor}s"
    many = births_model(subject, action, alone, birth.anchor)

    async def handle_many(asked: Asked) -> Response:
        given = given_to(resource, action, asked, asked.body, leave=(anchors, "each"))
        wanted = [Wanted(i) for i in getattr(asked.body, anchors) or ()]
        for i in asked.body.each or ():
            own = given_to(resource, action, asked, i, leave=(anchor,))
            wanted.append(Wanted(getattr(i, anchor), given=own))
        wanted = distinct(wanted, f"/{anchors}")
        done = await perform(
            asked.services,
            asked.call,
            subject,
            action,
            wanted,
            given,
            answer=in_bulk(asked.language),
            single=False,
            extra=extras(given),
        )
        return replied(done)

    router.add(
        Operation(
            "POST",
            f"{resource.path}/bulk/{action}",
            f"{plural}_bulk_{action}",
            f"{summary} (many at once)",
            handle_many,
            "bulk",
            "lifecycle",
            BulkOut,
            many,
            keyed=True,
        )
    )


__all__ = ["Asking", "Birth", "Resource", "replace", "routes_of"]
