"""Requirement packs over HTTP: what is there, what differs, and a rehearsal of a new version."""

from __future__ import annotations

from starlette.responses import Response

from service.actions.packs import compare, packs_of_all, rehearse, versions_of
from service.api.operations import Asked, Operation, Operations, respond
from service.api.schemas.packs import DifferenceOut, PacksOut, PackVersionsOut, ProposedIn, RehearsalIn, RehearsalOut

READS = (
    ("/packs", "packs_list", "Every version of every requirement pack"),
    ("/packs/{key}/versions", "packs_versions", "The versions of a pack, with their rows and sources"),
)
TRIES = (
    ("/packs/difference", "packs_difference", "What a proposed version changes, row by row; nothing is kept"),
    (
        "/packs/rehearsal",
        "packs_rehearsal",
        "Whom a proposed version would block, when, and the ways out",
    ),
)


async def _list(asked: Asked) -> Response:
    return respond({"items": await packs_of_all(asked.services, asked.call)})


async def _versions(asked: Asked) -> Response:
    return respond({"items": await versions_of(asked.services, asked.call, asked.path["key"])})


async def _compare(asked: Asked) -> Response:
    return respond(await compare(asked.services, asked.call, asked.body.content, asked.body.before))


async def _rehearse(asked: Asked) -> Response:
    body = asked.body
    found = await rehearse(
        asked.services, asked.call, body.content, from_on=body.from_on, before=body.before, after=body.after,
        limit=body.limit,
    )  # fmt: skip
    return respond(found)


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("packs")
    for (path, name, summary), handle, out, codes in (
        (READS[0], _list, PacksOut, ()),
        (READS[1], _versions, PackVersionsOut, ("key",)),
    ):
        o.add(Operation("GET", path, name, summary, handle, "read", "packs.read", out, codes=codes))
    (path, name, summary), (path_2, name_2, summary_2) = TRIES
    o.add(Operation("POST", path, name, summary, _compare, "compute", "packs.read", DifferenceOut, ProposedIn))
    o.add(
        Operation("POST", path_2, name_2, summary_2, _rehearse, "compute", "packs.rehearse", RehearsalOut, RehearsalIn)
    )
    return [o]
