"""Imports: a file is checked row by row before anything happens, then applied, and voided while nothing stands on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from service.domain.actors import ADMIN, COORDINATOR, REGISTRAR, SYSTEM
from service.domain.lifecycle import NEW, VOIDED, Dossier, Lifecycle, Reason, Rule, Takes

STUDENT_NO = "student_no"
"""The system of the external id that a sheet's students have: the key by which a row is known again."""
MODES = ("good", "all")
"""Which rows are applied: the good ones, or none unless all of them are good."""
BLANKS = ("keep", "clear")
"""What an empty cell says of something on record: nothing, or that there is no such value any more."""
OUTCOMES = ("create", "update", "unchanged", "faulty", "created", "updated", "voided", "restored")
"""What becomes of a row: what it would do, and what it did."""
PENDING = ("create", "update")
DONE = ("created", "updated")
LINES_NAMED = 100
"""Lines that a refusal names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDossier(Dossier):
    """All that the rules of an import may know: how many rows wait, how many are faulty, what stands on its work."""

    mode: str = "good"
    waiting: int = 0
    faulty: int = 0
    built_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImport(Dossier):
    """What is known when a file is uploaded: the mapping that the same source had the last time."""

    remembered: Any = None


def something_to_apply(i: ImportDossier) -> Reason | None:
    """An import in which no row would do anything is not applied."""
    return None if i.waiting else Reason("something_to_apply")


def all_rows_good(i: ImportDossier) -> Reason | None:
    """An import of all rows is applied only where none of them is faulty."""
    return Reason("all_rows_good", required=0, actual=i.faulty) if i.mode == "all" and i.faulty else None


def nothing_built_on_it(i: ImportDossier) -> Reason | None:
    """What an import did is taken back only while nothing was done with it since; the lines of the rest are named."""
    return Reason("nothing_built_on_it", actual=list(i.built_on)) if i.built_on else None


UPLOADED: tuple[Takes[Any], ...] = (
    Takes("kind", Annotated[str, "line"], "What the rows are about."),
    Takes("mode", str, "All rows or the good ones.", choices=MODES),
    Takes("blanks", str, "What an empty cell says.", choices=BLANKS),
    Takes("source", Annotated[str, "line"], "From whom it is: the mapping of its headers is remembered.", needed=False),
    Takes("mapping", dict, "By header as it stands there: the column that it means.", needed=False),
    Takes("phone_country", Annotated[str, "country"], "Whose phone numbers lack a code.", needed=False),
)
KEEPERS = [COORDINATOR, REGISTRAR, ADMIN]

# fmt: off
IMPORT = Lifecycle[Any]("import", [
    #    action    from                                  to          who       only if                                leaves behind
    Rule("upload", [NEW],                                "uploaded", KEEPERS,  [],                                    "import.uploaded",
         takes=UPLOADED),
    Rule("check",  ["uploaded"],                         "checked",  [SYSTEM], [],                                    "import.checked"),
    Rule("fail",   ["uploaded", "applying"],             "failed",   [SYSTEM], [],                                    "import.failed"),
    Rule("stop",   ["uploaded", "applying"],             "failed",   KEEPERS,  [],                                    "import.stopped"),
    Rule("apply",  ["checked", "failed"],                "applying", KEEPERS,  [something_to_apply, all_rows_good],   "import.applying"),
    # All rows or none: what earlier transactions of it did is taken back when one is refused.
    Rule("undo",   ["applying"],                        "voiding",  [SYSTEM], [],                                    "import.undoing"),
    Rule("finish", ["applying"],                         "applied",  [SYSTEM], [],                                    "import.applied"),
    Rule("void",   ["checked", "applied", "failed"],     "voiding",  KEEPERS,  [nothing_built_on_it],                 "import.voiding"),
    Rule("keep",   ["voiding"],                          "applied",  [*KEEPERS, SYSTEM], [],                          "import.kept"),
    Rule("take_back", ["voiding"],                       VOIDED,     [SYSTEM], [],                                    "import.voided"),
], correctable=False)
# fmt: on
