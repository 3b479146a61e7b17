"""Certificates: recorded by one, verified by another who saw the scan or asked the issuer, revoked with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import COORDINATOR, GUARDIAN, INSTRUCTOR, REGISTRAR, SYSTEM, TRAINEE
from service.domain.languages import NO_TESTS, LanguageTests, Outcome, Sat, faults, outcome
from service.domain.lifecycle import NEW, Dossier, Given, Lifecycle, Reason, Rule, Takes, because

CERTIFICATE_KINDS = ("language", "skill", "graduation", "other")
TESTED = ("language", "skill")
_CEFR = ("A1", "A2", "B1", "B2", "C1", "C2")
# fmt: off
TESTS: dict[str, tuple[str, ...]] = {
    "jlpt":                  ("N5", "N4", "N3", "N2", "N1"),
    "jft_basic":             (),
    "nursing_care_japanese": ("pass", "fail"),
    "ssw1_skills":           ("pass", "fail"),
    "hsk_2":                 ("1", "2", "3", "4", "5", "6"),
    "hsk_3":                 ("1", "2", "3", "4", "5", "6", "7", "8", "9"),
    "goethe":                _CEFR,
    "telc":                  _CEFR,
    "testdaf":               (),
    "topik":                 ("1", "2", "3", "4", "5", "6"),
    "torfl":                 ("TEU", "TBU", "TRKI-1", "TRKI-2", "TRKI-3", "TRKI-4"),
    "ielts":                 (),
    "other":                 (),
}
# fmt: on
"""Tests by their codes, each with the levels that its certificates name, lowest first; none where it names none.

An older and a newer form of one test (HSK 2.0 and 3.0) are two tests: their levels are not the same.
"""

WITHOUT_SCHEME = ("nursing_care_japanese", "ssw1_skills", "other")
"""Tests of which no scale is known: what their certificates say is taken as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDossier(Dossier):
    """All that the rules of a certificate may know; `asked_by_typist` says whether who typed any of it asks now."""

    kind: str = ""
    test: str | None = None
    paper: str | None = None
    level_named: str | None = None
    total_score: Decimal | None = None
    section_scores: Mapping[str, Any] = field(default_factory=dict, hash=False)
    taken_on: date | None = None
    result_on: date | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    edited_by: Sequence[UUID] = ()
    asked_by_typist: bool = False
    document_known: bool = False
    tests: LanguageTests = field(default=NO_TESTS, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCertificate(Dossier):
    """What is known when a certificate is recorded: whether the scan that was named is the person's, and the tests."""

    document_known: bool = False
    tests: LanguageTests = field(default=NO_TESTS, hash=False)


def _now_or_given(c: Dossier, given: Given, name: str) -> Any:
    return given[name] if name in given else getattr(c, name, None)


def sat_of(c: CertificateDossier | NewCertificate, given: Given) -> Sat | None:
    """What was sat, as it stands after this input; None where nothing is known of the test, or it names none."""
    test = _now_or_given(c, given, "test")
    if c.tests.get(test) is None:
        return None
    level = given.get("level") or getattr(c, "level_named", None)
    paper = given.get("paper") or (None if "level" in given else getattr(c, "paper", None))
    return Sat(
        test=test,
        on=_now_or_given(c, given, "taken_on") or _now_or_given(c, given, "issued_on"),
        paper=paper,
        level=level,
        total=_now_or_given(c, given, "total_score"),
        sections=_now_or_given(c, given, "section_scores") or {},
    )


def outcome_of(c: CertificateDossier | NewCertificate, given: Given) -> Outcome | None:
    """Its level and CEFR level by the scheme of the test's day; None where no scheme is known."""
    sat = sat_of(c, given)
    test = c.tests.get(sat.test) if sat else None
    return outcome(test, sat) if test and sat else None


def test_fits(c: CertificateDossier | NewCertificate, given: Given) -> list[Reason]:
    """A language or skill certificate names its test; scores and level are such as the test of that day gives."""
    kind, code = _now_or_given(c, given, "kind"), _now_or_given(c, given, "test")
    if kind in TESTED and code is None:
        return [Reason("test_named", required=sorted(TESTS), pointer="/test")]
    sat = sat_of(c, given)
    if sat is not None and (test := c.tests.get(sat.test)) is not None:
        return faults(test, sat)
    levels, level = TESTS.get(code or "", ()), given.get("level")
    if level is not None and levels and level not in levels:
        return [Reason("level_of_test", required=levels, pointer="/level")]
    return []


def days_in_order(c: Dossier, given: Given) -> list[Reason]:
    """A test is taken, then its result announced; the certificate is issued after the test, then it is valid."""
    taken, result, issued, until = (
        _now_or_given(c, given, n) for n in ("taken_on", "result_on", "issued_on", "valid_until")
    )
    found = []
    if taken is not None and result is not None and result < taken:
        found.append(Reason("result_after_taken", required=taken, actual=result, pointer="/result_on"))
    if taken is not None and issued is not None and issued < taken:
        found.append(Reason("issued_after_taken", required=taken, actual=issued, pointer="/issued_on"))
    if until is not None and issued is not None and until < issued:
        found.append(Reason("valid_after_issued", required=issued, actual=until, pointer="/valid_until"))
    return found


def document_known(c: CertificateDossier | NewCertificate, given: Given) -> Reason | None:
    """The scan is a document of the same person that nobody rejected."""
    if given.get("document_id") is not None and not c.document_known:
        return Reason("document_known", pointer="/document_id")
    return None


def by_another_account(c: CertificateDossier) -> Reason | None:
    """Whoever recorded or changed a certificate, for themselves or for another party, does not verify it."""
    return Reason("by_another_account") if c.asked_by_typist else None


DESCRIBED: tuple[Takes[Any], ...] = (
    Takes("test", str, "The test, by its code.", needed=False, choices=list(TESTS), code="test_known"),
    Takes("form", Annotated[str, "line"], "The form or version of the test.", needed=False),
    Takes("issuer", Annotated[str, "line"], "Who issued it.", needed=False),
    Takes("field", Annotated[str, "line"], "The field of a skill, by its code.", needed=False),
    Takes("paper", Annotated[str, "line"], "The paper that was sat, where the level does not tell it.", needed=False),
    Takes("level", Annotated[str, "line"], "The level that the certificate names; the scores must give it.", needed=False),
    Takes(
        "total_score", Decimal, "The total, where the test has one.", needed=False, least=Decimal(0),
        most=Decimal(100_000),
    ),
    Takes("section_scores", dict, "The result of each section, by its code.", needed=False),
    Takes("taken_on", date, "The day of the test.", needed=False, most=lambda c: c.today, code="not_in_future"),
    Takes(
        "result_on", date, "The day on which the result was announced.", needed=False, most=lambda c: c.today,
        code="not_in_future",
    ),
    Takes("issued_on", date, "The day on which it was issued.", needed=False, most=lambda c: c.today, code="not_in_future"),
    Takes("valid_until", date, "The last day on which it is valid, where its issuer states one.", needed=False),
    Takes("number", Annotated[str, "line"], "Its number; kept sealed.", needed=False),
    Takes("document_id", UUID, "The scan.", needed=False),
)  # fmt: skip
RECORDED: tuple[Takes[Any], ...] = (
    Takes("kind", str, "What kind of certificate it is.", choices=CERTIFICATE_KINDS, code="certificate_kind_known"),
    *DESCRIBED,
)
EDITED = DESCRIBED[1:]
"""Another test is another certificate: the wrong one is rejected."""
RECORDERS = [COORDINATOR, REGISTRAR, INSTRUCTOR, TRAINEE, GUARDIAN]
CHECKERS = [COORDINATOR, REGISTRAR]

# fmt: off
CERTIFICATE = Lifecycle[Any]("certificate", [
    #    action    from          to          who        only if               leaves behind
    Rule("record", [NEW],        "recorded", RECORDERS, [],                   "certificate.recorded",
         takes=RECORDED, checks=[test_fits, days_in_order, document_known]),
    Rule("receive", [NEW],       "recorded", [SYSTEM],  [],                   "certificate.received", undo=False),
    Rule("edit",   ["recorded"], "recorded", RECORDERS, [],                   "certificate.edited",
         takes=EDITED, checks=[test_fits, days_in_order, document_known], undo=False),
    Rule("verify", ["recorded"], "verified", CHECKERS,  [by_another_account], "certificate.verified", evidence=True),
    Rule("reject", ["recorded"], "rejected", CHECKERS,  [],                   "certificate.rejected",
         takes=[because("unreadable", "wrong_person", "wrong_kind", "fraud", "no_evidence", "other")]),
    Rule("revoke", ["verified"], "revoked",  CHECKERS,  [],                   "certificate.revoked",
         takes=[because("fraud", "withdrawn_by_issuer", "wrong_person", "entered_in_error", "other")]),
])
# fmt: on
