"""Levels that several capabilities compare: of education (ISCED 2011), and in tests whose certificates prove them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from service.domain import languages
from service.domain.certificates import TESTS
from service.domain.languages import NO_TESTS, LanguageTests, Purpose, Verdict, valid_for
from service.domain.lifecycle import Dossier, Given, Reason

ISCED_LEAST, ISCED_MOST = 0, 8
"""0 early childhood, 3 upper secondary, 4 post-secondary, 5 short-cycle tertiary, 6 bachelor, 7 master, 8 doctor."""
NOT_PASSED = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A test that is asked for, and its lowest level that will do; any passed one where none is named.

    With a purpose the certificate must be good for just that (HSK counts for two years for admission in China); without
    one, for as long as it states or its issuer says.
    """

    test: Annotated[str, "line"]
    level: Annotated[str, "line"] | None = None
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A verified certificate of a person; `paper` is what its validity for a purpose is judged by."""

    kind: str
    test: str | None = None
    level: str | None = None
    valid_until: date | None = None
    paper: languages.Held | None = None

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


@dataclass(frozen=True, slots=True)
class Days:
    """The day by which a certificate is judged without a purpose, that for one, and what is known of the tests."""

    day: date
    used_on: date
    book: LanguageTests = NO_TESTS

    def verdict(self, held: Held, wanted: Proof) -> Verdict | None:
        """What is decided of a certificate for the purpose of what is asked for, where it has one."""
        if wanted.purpose is None or held.paper is None:
            return None
        return valid_for(self.book, held.paper, wanted.purpose, self.used_on)

    def good(self, held: Held, wanted: Proof) -> bool:
        """Whether the certificate counts; one of which nothing is known is good for no purpose."""
        if wanted.purpose is None:
            return held.valid_on(self.day)
        verdict = self.verdict(held, wanted)
        return verdict is not None and verdict.valid


def proven(held: Iterable[Held], wanted: Sequence[Proof], day: date | Days) -> bool:
    """Whether one of the tests that are asked for is proven on the day; nothing asked for is proven by nothing."""
    days = day if isinstance(day, Days) else Days(day, day)
    return not wanted or any(h.proves(w) and days.good(h, w) for h in held for w in wanted)


def held_back(held: Iterable[Held], wanted: Sequence[Proof], days: Days) -> list[str]:
    """The tests that somebody has, as a reason names them; of those that would do, the rule by which they do not.

    `hsk 4 (hsk-2-admission, 2026-05-01)`: good until that day by that rule.
    """
    found = []
    for h in held:
        if h.test is None:
            continue
        verdict = next((v for w in wanted if h.proves(w) and (v := days.verdict(h, w)) is not None), None)
        if verdict is None:
            found.append(h.test)
            continue
        rule = verdict.decided_by
        by = getattr(rule.source, "key", rule.code)
        end = [verdict.valid_until.isoformat()] if verdict.valid_until else []
        found.append(f"{' '.join(filter(None, (h.test, h.level)))} ({', '.join([by, *end])})")
    return found


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
    return [" ".join(filter(None, (w.test, w.level, w.purpose and f"({w.purpose})"))) for w in wanted]
