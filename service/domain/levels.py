"""Levels that several capabilities compare: of education (ISCED 2011), and in tests whose certificates prove them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from service.domain.certificates import TESTS
from service.domain.lifecycle import Dossier, Given, Reason

ISCED_LEAST, ISCED_MOST = 0, 8
"""0 early childhood, 3 upper secondary, 4 post-secondary, 5 short-cycle tertiary, 6 bachelor, 7 master, 8 doctor."""
NOT_PASSED = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A test that is asked for, and its lowest level that will do; any passed one where none is named."""

    test: Annotated[str, "line"]
    level: Annotated[str, "line"] | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A verified certificate of a person."""

    kind: str
    test: str | None = None
    level: str | None = None
    valid_until: date | None = None

    def valid_on(self, day: date) -> bool:
        """Whether it still counts on the day."""
        return self.valid_until is None or self.valid_until >= day

    def proves(self, wanted: Proof) -> bool:
        """Whether it is of the test, and at least at its level."""
        if self.test != wanted.test or self.level == NOT_PASSED:
            return False
        if wanted.level is None:
            return True
        levels = TESTS.get(wanted.test, ())
        return (
            self.level in levels and wanted.level in levels and levels.index(self.level) >= levels.index(wanted.level)
        )


def proven(held: Iterable[Held], wanted: Sequence[Proof], day: date) -> bool:
    """Whether one of the tests that are asked for is proven on the day; nothing asked for is proven by nothing."""
    return not wanted or any(h.valid_on(day) and h.proves(w) for h in held for w in wanted)


def proofs_known(_: Dossier, given: Given) -> list[Reason]:
    """The tests that are asked for are known, and their levels are theirs."""
    found = []
    wanted: Sequence[Proof] = given.get("languages") or ()
    for n, proof in enumerate(wanted):
        if proof.test not in TESTS:
            found.append(
                Reason("test_known", required=sorted(TESTS), actual=proof.test, pointer=f"/languages/{n}/test")
            )
        elif proof.level is not None and proof.level not in TESTS[proof.test]:
            levels = list(TESTS[proof.test])
            found.append(Reason("level_known", required=levels, actual=proof.level, pointer=f"/languages/{n}/level"))
    return found


def named(wanted: Sequence[Proof]) -> list[str]:
    """The tests that are asked for, as a reason names them."""
    return [" ".join(filter(None, (w.test, w.level))) for w in wanted]
