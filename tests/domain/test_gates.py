"""The last days on which a requirement may still have been met, at each of their ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from service.domain.gates import last_days, turning_days
from service.domain.requirements import Evidence, Requirement, RequirementFacts, TestResult
from service.domain.requirements.model import Source, Validity

DAY = timedelta(days=1)
ROW = Requirement(
    key="medical_examination", title="Medical", kind="document", subject="person", needed_before="authorisation",
    providers=("clinic",), source=Source("a page", None, None, "unverified", "jp-ssw1@1"), item="medical_examination",
)  # fmt: skip


def test_last_days_are_those_that_the_row_and_the_evidence_name() -> None:
    issued = Evidence(state="accepted", issued_on=date(2027, 11, 30))
    months = replace(ROW, validity=(Validity("months_from_issue", 3),))
    assert list(last_days(months, issued)) == [date(2028, 2, 29)]
    days = replace(ROW, validity=(Validity("days_from_issue", 30), Validity("starts_by")))
    assert list(last_days(days, issued)) == [date(2027, 12, 30)]
    stated = Evidence(state="accepted", valid_until=date(2028, 8, 31))
    covers = replace(ROW, validity=(Validity("covers", 6), Validity("covers")))
    assert list(last_days(covers, stated)) == [date(2028, 8, 31), date(2028, 2, 29)]
    assert list(last_days(covers, Evidence())) == []


def test_turning_days_are_also_those_of_the_row_the_passport_and_the_tests() -> None:
    row = replace(ROW, effective_from=date(2027, 4, 1), effective_to=date(2028, 3, 31))
    assert list(turning_days([(row, RequirementFacts())])) == [date(2027, 3, 31), date(2028, 3, 31)]
    passport = replace(ROW, kind="fact", validity=(Validity("covers", 6),))
    facts = RequirementFacts(passport_expires_on=date(2029, 12, 31))
    assert list(turning_days([(passport, facts)])) == [date(2029, 6, 30)]
    held = RequirementFacts(
        tests=(
            TestResult(test="topik", taken_on=date(2025, 1, 2), valid_until=date(2027, 1, 1)),
            TestResult(test="jlpt", taken_on=date(2025, 7, 6)),
        )
    )
    assert list(turning_days([(ROW, held), (ROW, RequirementFacts())])) == [date(2027, 1, 1)]
