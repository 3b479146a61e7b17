"""What an enterprise declared, what workers paid, and who studies: every boundary of the rows that judge it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.domain.requirements import (
    GATES,
    Evidence,
    NoPack,
    Payment,
    RequirementFacts,
    Staff,
    checklist,
    choose,
    choose_study,
    purpose_of,
    unmet,
)
from service.domain.requirements.model import ForeignShare, LocalStaff, PaidAtMost, PaidInCapital, Validity
from service.storage.packs import shipped_packs
from tests.domain.test_requirements import ON, row

DAY = timedelta(days=1)
APPROVAL = GATES["request_approved"]
DECLARED = RequirementFacts(
    staff=Staff(
        declared_on=ON, local_staff=40, foreign_staff=2, paid_in_capital=Decimal(8_000_000), capital_currency="THB"
    ),
    foreigners_added=2,
)


def ratio(asks: Any, **more: Any) -> Any:
    return row("ratio", kind="ratio", subject="request", needed_before="request_approved", asks=asks, **more)


def codes(asks: Any, facts: RequirementFacts, on: date = ON, **more: Any) -> list[str]:
    return [u.code for u in unmet([ratio(asks, **more)], APPROVAL, on, facts)]


def staffed(**staff: Any) -> RequirementFacts:
    return replace(DECLARED, staff=replace(DECLARED.staff, **staff))


@pytest.mark.parametrize(("local", "found"), [(16, []), (15, ["staff_ratio"]), (None, ["fact_unknown"])])
def test_local_staff_counts_those_to_come(local: int | None, found: list[str]) -> None:
    assert codes(LocalStaff(4), staffed(local_staff=local)) == found


@pytest.mark.parametrize(
    ("foreign", "added", "found"),
    [(2, 2, []), (3, 2, ["foreign_share"]), (0, 4, []), (0, 0, []), (None, 0, ["fact_unknown"])],
)
def test_foreign_share_is_of_the_local_staff(foreign: int | None, added: int, found: list[str]) -> None:
    assert codes(ForeignShare(10), replace(staffed(foreign_staff=foreign), foreigners_added=added)) == found


@pytest.mark.parametrize(
    ("capital", "currency", "found"),
    [
        ("8000000", "THB", []),
        ("7999999.99", "THB", ["capital_too_low"]),
        ("80000000", "CNY", ["capital_too_low"]),
        (None, None, ["fact_unknown"]),
    ],
)
def test_paid_in_capital_is_for_each_foreigner(capital: str | None, currency: str | None, found: list[str]) -> None:
    known = staffed(paid_in_capital=Decimal(capital) if capital else None, capital_currency=currency)
    assert codes(PaidInCapital(Decimal(2_000_000), "THB"), known) == found


def test_declaration_is_dated() -> None:
    yearly: dict[str, Any] = {"validity": (Validity("months_from_issue", 12),)}
    last = date(2028, 4, 1)
    found = [codes(LocalStaff(4), DECLARED, d, **yearly) for d in (ON - DAY, ON, last, last + DAY)]
    assert found == [["requirement_issued_later"], [], [], ["requirement_too_old"]]
    assert codes(LocalStaff(4), staffed(declared_on=None), **yearly) == ["requirement_undated"]
    (shown,) = checklist([ratio(LocalStaff(4), **yearly)], replace(DECLARED, starts_on=ON))
    assert (shown.state, shown.valid_until) == ("met", last)


def test_justified_share_serves_instead() -> None:
    over = replace(DECLARED, foreigners_added=40, evidence={"reasons": Evidence(state="accepted")})
    assert codes(ForeignShare(10), over) == ["foreign_share"]
    assert codes(ForeignShare(10), over, instead=("reasons",)) == []


# ---- what workers paid
CAP = PaidAtMost(2, ("trainee", "family"), ("agency",))
PAID = RequirementFacts(gross_annual_pay=Decimal(2580000), pay_currency="JPY")


def paid(*amounts: str, currency: str = "JPY", payer: str = "trainee", receiver: str = "agency") -> RequirementFacts:
    rows = tuple(Payment("training", payer, receiver, Decimal(a), currency) for a in amounts)
    return replace(PAID, payments=rows)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (paid(), []),
        (paid("400000", "30000"), []),
        (paid("400000", "30000.01"), ["payments_above_cap"]),
        (paid("430001", payer="enterprise"), []),
        (paid("430001", receiver="clinic"), []),
        (paid("1", currency="CNY"), ["payment_currency"]),
        (replace(paid("1"), gross_annual_pay=None), ["fact_unknown"]),
        (replace(paid(), gross_annual_pay=None), []),
    ],
)
def test_payments_are_capped_by_months_of_pay(facts: RequirementFacts, found: list[str]) -> None:
    rule = row("fees", kind="payment_rule", needed_before="documents", asks=CAP)
    assert [u.code for u in unmet([rule], GATES["documents"], ON, facts)] == found


def test_cap_is_told_in_money() -> None:
    rule = row("fees", kind="payment_rule", needed_before="documents", asks=CAP)
    odd = replace(paid("500000"), gross_annual_pay=Decimal(2_600_000))
    (found,) = unmet([rule], GATES["documents"], ON, odd)
    assert (found.required, found.actual) == (
        {"months_of_pay": 2, "at_most": "433333.33", "currency": "JPY"}, {"paid": "500000", "currency": "JPY"},
    )  # fmt: skip


# ---- a start some months before
def test_start_lies_months_before() -> None:
    rule = row(validity=(Validity("starts_by", 4, "starts_on"),))
    facts = RequirementFacts(starts_on=date(2027, 6, 30))
    found = [
        [u.code for u in unmet([rule], GATES["visa"], ON, replace(facts, evidence={"paper": held}))]
        for held in (
            Evidence(state="accepted", valid_from=date(2027, 2, 28)), Evidence(state="accepted", valid_from=date(2027, 3, 1)),
        )
    ]  # fmt: skip
    assert found == [[], ["requirement_starts_too_late"]]


# ---- for what somebody enters
def test_purpose_is_what_the_visa_says() -> None:
    assert purpose_of({}) == "work"
    assert purpose_of({"visa": Evidence()}) == "work"
    assert purpose_of({"visa": Evidence(purpose="tourist")}) == "tourist"


def test_studies_are_no_way_to_work() -> None:
    found = choose(shipped_packs(), nationality="TH", destination="CN", pathway="cn_study", on=ON)
    assert found == NoPack("pathway_is_no_work", [], "cn_study")


def test_foreign_student_needs_a_form_and_a_visa() -> None:
    (pack,) = choose_study(shipped_packs(), nationality="TH", destination="CN", on=ON)
    asked = {
        n: [u.key for u in unmet(pack.requirements, GATES["enrolled"], ON, RequirementFacts(nationality=n))]
        for n in ("TH", "CN")
    }
    assert asked == {"TH": ["jw_form", "x1_visa"], "CN": []}
    due = {o.key: (o.event, o.due and (o.due.count, o.due.unit)) for o in pack.obligations}
    assert due == {"residence_permit": ("entered", (30, "days")), "lodging_registration": ("entered", (1, "days"))}
    assert choose_study(shipped_packs(), nationality="TH", destination="DE", on=ON) == ()
