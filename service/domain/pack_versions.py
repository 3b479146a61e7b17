"""An institution's own versions of requirement packs: loaded, tried, adopted from a day by another, out of use again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes
from service.domain.requirements import Pack

IN_LIBRARY = ("adopted", "retired")
"""The states in which a version is in its institution's library: whoever was pinned to it keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion(Dossier):
    """What is known when a version is loaded: the packs that are there, and the pins of what was loaded before."""

    library: tuple[Pack, ...] = ()
    loaded: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDossier(Dossier):
    """All that the moves of a version may know: who loaded it, who asks, and the days of the version itself."""

    loaded_by: UUID
    account: UUID | None = None
    valid_to: date | None = None


def version_sound(v: NewVersion, given: Given) -> Iterable[Reason]:
    """The file is without fault, and it is a newer version of a pack that is there, of the same kind and pathway.

    `read` is what the loader made of the content: a pack, or every fault.
    """
    pack: Pack | tuple[Reason, ...] = given["read"]
    if not isinstance(pack, Pack):
        return pack
    known = [p for p in v.library if p.key == pack.key]
    if not known:
        return [Reason("pack_version_known", actual=pack.key, pointer="/content/key")]
    newest = max(known, key=lambda p: p.version)
    last = max([newest.version, *(n for key, n in v.loaded if key == pack.key)])
    found = []
    if pack.version <= last:
        found.append(Reason("pack_version_newer", last + 1, pack.version, "/content/version"))
    for name in ("kind", "pathway"):
        if getattr(pack, name) != getattr(newest, name):
            same, said = getattr(newest, name), getattr(pack, name)
            found.append(Reason("pack_same_kind", same, said, f"/content/{name}"))
    return found


def adopted_by_another(v: VersionDossier) -> Reason | None:
    """Whoever loaded a version does not adopt it."""
    return Reason("adopted_by_another") if v.account == v.loaded_by else None


LOADED: tuple[Takes[Any], ...] = (
    Takes("content", Annotated[dict[str, Any], "json"], "The version as its file would be written."),
    Takes("rationale", str, "Why it is needed, in writing."),
)
ADOPTED: tuple[Takes[Any], ...] = (
    Takes(
        "from_on",
        date,
        "The first day on which it is in force, by planned departures (starts, where nobody departs).",
        least=lambda v: v.today,
        most=lambda v: v.valid_to,
        code="pack_from_on",
    ),
)
RETIRED: tuple[Takes[Any], ...] = (
    Takes("until_on", date, "The last day on which it is in force.", least=lambda v: v.today, code="pack_from_on"),
)

# fmt: off
PACK_VERSION = Lifecycle[Any]("pack_version", [
    #    action      from         to           who                   only if               leaves behind
    Rule("load",     [NEW],       "draft",     [COORDINATOR, ADMIN], [],                   "pack_version.loaded",
         takes=LOADED, checks=[version_sound]),
    Rule("adopt",    ["draft"],   "adopted",   [ADMIN],              [adopted_by_another], "pack_version.adopted",
         takes=ADOPTED, undo=False),
    Rule("withdraw", ["draft"],   "withdrawn", [COORDINATOR, ADMIN], [],                   "pack_version.withdrawn"),
    Rule("retire",   ["adopted"], "retired",   [ADMIN],              [],                   "pack_version.retired",
         takes=RETIRED, undo=False),
])
# fmt: on
