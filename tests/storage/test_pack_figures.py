"""The figures of the packs that ship, each with its mark of evidence, and the days on which each window turns."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.domain.obligations import last_day
from service.domain.requirements import Evidence, RequirementFacts, unmet
from service.domain.requirements.model import (
    FactAtMost,
    ForeignShare,
    LocalStaff,
    MinimumAge,
    MinimumPay,
    PaidAtMost,
    PaidInCapital,
    Requirement,
)
from service.storage.calendars import calendars_between
from service.storage.packs import shipped_packs

DAY = timedelta(days=1)
ROWS = {(p.pin.split("@")[0], r.key): r for p in shipped_packs() for r in p.requirements}
DUTIES = {(p.pin.split("@")[0], o.key): o for p in shipped_packs() for o in p.obligations}


# A paper of 30 November: three months end in a leap year's February, six and twelve on the 30th again.
ISSUED = date(2027, 11, 30)
WINDOWS: dict[tuple[str, str], tuple[str, date]] = {
    ("jp-ssw1", "medical_examination"): ("secondary", date(2028, 2, 29)),
    ("jp-ssw1", "medical_examination_change_of_status"): ("secondary", date(2028, 11, 30)),
    ("jp-ssw1", "photo"): ("secondary", date(2028, 5, 30)),
    ("jp-ssw1", "certificate_of_eligibility"): ("official", date(2028, 2, 29)),
    ("jp-ssw1", "certificate_of_eligibility_at_entry"): ("official", date(2028, 2, 29)),
    ("jp-titp", "certificate_of_eligibility"): ("official", date(2028, 2, 29)),
    ("jp-titp", "certificate_of_eligibility_at_entry"): ("official", date(2028, 2, 29)),
    ("jp-esd", "certificate_of_eligibility"): ("official", date(2028, 2, 29)),
    ("jp-esd", "certificate_of_eligibility_at_entry"): ("official", date(2028, 2, 29)),
    ("de-18a", "photo"): ("official", date(2028, 5, 30)),
    ("de-18a", "passport_book"): ("official", date(2037, 11, 30)),
    ("de-16d3", "photo"): ("official", date(2028, 5, 30)),
    ("de-16d3", "passport_book"): ("official", date(2037, 11, 30)),
    ("de-ausbildung", "photo"): ("official", date(2028, 5, 30)),
    ("de-ausbildung", "passport_book"): ("official", date(2037, 11, 30)),
    ("home-hire", "medical_fitness"): ("unverified", date(2028, 2, 29)),
    ("cn-th", "wp3_approval"): ("secondary", date(2027, 12, 30)),
    ("cn-th", "medical_certificate"): ("secondary", date(2027, 12, 30)),
    ("cn-ru", "employer_permit"): ("secondary", date(2028, 11, 30)),
    ("cn-ru", "work_permit"): ("secondary", date(2028, 11, 30)),
    ("cn-ru", "invitation"): ("secondary", date(2028, 2, 29)),
    ("cn-ru", "hiv_test"): ("secondary", date(2028, 2, 29)),
    ("cn-ru", "multiple_entry_visa"): ("secondary", date(2028, 11, 30)),
}


def counted(row: Requirement) -> bool:
    """Whether what is handed in is good for a time from its issue, judged on the day of the step."""
    return row.asks is None and any(v.rule.endswith("_from_issue") and v.judged_on == "event" for v in row.validity)


def test_windows_are_all_named_here() -> None:
    assert {name for name, row in ROWS.items() if counted(row)} == WINDOWS.keys()


@pytest.mark.parametrize(("pack", "key"), WINDOWS)
def test_window_holds_to_its_last_day(pack: str, key: str) -> None:
    row, (mark, last) = ROWS[pack, key], WINDOWS[pack, key]
    assert row.source.evidence == mark
    held = {row.item: Evidence(state="accepted", issued_on=ISSUED, documents=1)}
    facts = RequirementFacts(
        evidence=held, options=frozenset({"change_of_status"} if "change_of_status" in key else ())
    )
    assert row.gate is not None
    days = (ISSUED, last - DAY, last, last + DAY)
    found = [[u.code for u in unmet([row], row.gate, on, facts)] for on in days]
    assert found == [[], [], [], ["requirement_too_old"]]


ASKED: dict[tuple[str, str], tuple[str, Any]] = {
    ("fair-recruitment", "minimum_age"): ("official", MinimumAge(18)),
    ("jp-ssw1", "minimum_age"): ("secondary", MinimumAge(18)),
    ("jp-ssw1", "stay_cap"): ("unverified", FactAtMost("stay_months", 60)),
    ("jp-esd", "fees_to_sender"): ("secondary", PaidAtMost(2, ("trainee", "family"), ("agency",))),
    ("de-18a", "pay_from_45"): ("official", MinimumPay(Decimal(49830), "EUR")),
    ("de-16d3", "pay_from_45"): ("official", MinimumPay(Decimal(49830), "EUR")),
    ("de-16d3", "stay_cap"): ("official", FactAtMost("stay_months", 36)),
    ("cn-th", "thai_staff"): ("secondary", LocalStaff(4)),
    ("cn-th", "registered_capital"): ("secondary", PaidInCapital(Decimal(2_000_000), "THB")),
    ("cn-kh", "foreign_share"): ("secondary", ForeignShare(10)),
}
LIMITS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("cn-dispatch", "agency_licence"): (
        "official", {"paid_in_capital_cny_at_least": 6_000_000, "experienced_managers_at_least": 3},
    ),
    ("cn-dispatch", "risk_reserve"): ("official", {"amount_cny_at_least": 3_000_000}),
    ("cn-dispatch", "labour_cooperation_contract"): ("official", {"contract_items": 11}),
    ("jp-ssw1", "field_in_force"): ("secondary", {"people_to_fiscal_2028": 805_700}),
    ("jp-ssw1", "medical_examination"): ("secondary", {"item_groups": 11}),
    ("jp-esd", "field_in_force"): ("secondary", {"fields": 17, "people_to_fiscal_2028": 426_200}),
    ("jp-esd", "development_plan"): ("secondary", {"years": 3, "years_more_if_tests_failed": 1}),
    ("jp-esd", "own_wish_to_change"): ("secondary", {"months_at_least": 12, "months_at_least_in_8_fields": 24}),
    ("de-18a", "fast_track_fee"): ("official", {"fee_eur": 411}),
    ("de-16d3", "two_year_training"): ("official", {"years_at_least": 2}),
    ("de-ausbildung", "livelihood"): (
        "secondary",
        {"eur_month_2024": 903, "eur_month_net_2026": 959, "eur_pay_gross_2026": 1048, "eur_pay_net_2026": 822},
    ),
    ("cn-kh", "foreign_quota"): ("secondary", {"asked_by": "11-30"}),
    ("cn-kh", "foreign_share"): ("secondary", {"percent_office": 3, "percent_skilled": 6, "percent_unskilled": 1}),
    ("cn-ru", "vacancy_notified"): ("secondary", {"days_at_least": 30}),
}  # fmt: skip


def test_figures_are_those_that_were_read() -> None:
    assert {n: (ROWS[n].source.evidence, ROWS[n].asks) for n in ASKED} == ASKED
    assert {n: (ROWS[n].source.evidence, dict(ROWS[n].limits)) for n in LIMITS} == LIMITS


# Of 30 September 2026: the first days of October are a holiday in China, and two weekends are worked.
EVENT = date(2026, 9, 30)
DUE: dict[tuple[str, str], tuple[str, date | None]] = {
    ("cn-dispatch", "contract_filing"): ("official", date(2026, 10, 20)),
    ("cn-dispatch", "risk_reserve_topped_up"): ("official", date(2026, 11, 3)),
    ("cn-dispatch", "embassy_report"): ("official", None),
    ("cn-kh", "work_permit_renewed"): ("secondary", date(2027, 9, 30)),
    ("cn-ru", "address_registration"): ("unverified", None),
    ("cn-ru", "hire_notice"): ("unverified", None),
    ("cn-study", "residence_permit"): ("secondary", date(2026, 10, 30)),
    ("cn-study", "lodging_registration"): ("secondary", date(2026, 10, 1)),
    ("cn-th", "work_permit_in_time"): ("secondary", date(2026, 12, 29)),
    ("de-16d3", "recognition_applied"): ("official", None),
    ("de-ausbildung", "side_job_limit"): ("secondary", None),
    ("home-hire", "social_security"): ("unverified", date(2026, 10, 30)),
    ("jp-esd", "japanese_course"): ("secondary", None),
    ("jp-esd", "japanese_teaching"): ("secondary", date(2029, 9, 30)),
    ("jp-esd", "address_registration"): ("unverified", date(2026, 10, 14)),
    ("jp-esd", "change_notice"): ("secondary", date(2026, 10, 14)),
    ("jp-esd", "new_contract_notice"): ("unverified", date(2026, 10, 14)),
    ("jp-esd", "employer_change_notice"): ("unverified", date(2026, 10, 14)),
    ("jp-ssw1", "life_orientation"): ("secondary", None),
    ("jp-ssw1", "address_registration"): ("unverified", date(2026, 10, 14)),
    ("jp-ssw1", "change_notice"): ("secondary", date(2026, 10, 14)),
    ("jp-ssw1", "new_contract_notice"): ("official", date(2026, 10, 14)),
    ("jp-ssw1", "employer_change_notice"): ("secondary", date(2026, 10, 14)),
    ("jp-ssw1", "yearly_report"): ("official", date(2027, 9, 30)),
    ("jp-titp", "address_registration"): ("unverified", date(2026, 10, 14)),
    ("jp-titp", "change_notice"): ("secondary", date(2026, 10, 14)),
    ("jp-titp", "new_contract_notice"): ("unverified", date(2026, 10, 14)),
    ("jp-titp", "employer_change_notice"): ("secondary", date(2026, 10, 14)),
}


def test_obligations_are_due_on_the_day_of_their_rule() -> None:
    calendars = calendars_between(frozenset({"CN"}), EVENT, EVENT + 60 * DAY)
    assert {n: (o.source.evidence, last_day(o.due, EVENT, calendars)) for n, o in DUTIES.items()} == DUE
