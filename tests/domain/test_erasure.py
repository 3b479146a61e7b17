"""Erasing somebody as decisions: who asks, who does it, and everything that stands against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import ADMIN, REGISTRAR, TRAINEE, Actor, Role
from service.domain.costs import COST
from service.domain.journey import LIVE
from service.domain.lifecycle import KERNEL_ACTIONS, Reason, Refused
from service.domain.retention import LIVE_BESIDE, Had, Kept, Retention, kept, live, years_later
from service.domain.trainees import TRAINEE_RECORD, TraineeDossier

TODAY = date(2026, 6, 1)
GOOD = Retention(
    code="graduates", country="CN", subject="enrolment", states=("completed",), years=None, title="-", source="-",
    dated_on=date(2008, 8, 20), checked_on=None, evidence="unverified",
)  # fmt: skip
TWO_YEARS = replace(GOOD, code="ledger", subject="placement", states=("closed",), years=2, evidence="official")
ASKED = TraineeDossier(state="known", today=TODAY, birth_on=date(2004, 5, 6), erasure_asked_on=date(2026, 5, 20))


def against(facts: TraineeDossier, action: str = "erase", role: Role = ADMIN, **given: Any) -> list[tuple[Any, ...]]:
    try:
        TRAINEE_RECORD.decide(action, facts, Actor(UUID(int=7), frozenset({role})), given)
    except Refused as no:
        return [(r.code, r.required, r.actual) for r in no.reasons]
    return []


def test_erasure_is_asked_for_once_and_answered() -> None:
    fresh = replace(ASKED, erasure_asked_on=None)
    assert against(fresh, "ask_erasure", TRAINEE, reason_code="objection") == []
    assert [r[0] for r in against(fresh, "ask_erasure", TRAINEE)] == ["input_required"]
    assert against(ASKED, "ask_erasure", TRAINEE, reason_code="objection") == [
        ("erasure_not_asked_yet", None, date(2026, 5, 20))
    ]
    assert against(ASKED, "decline_erasure", reason_code="legal_claims") == []
    for action in ("erase", "decline_erasure"):
        assert against(fresh, action, reason_code="legal_claims") == [("erasure_asked", "ask_erasure", None)]
    assert against(ASKED, role=REGISTRAR)[0][0] == "role"


def test_erasure_is_done_by_another_than_who_asked_while_nothing_stands_against_it() -> None:
    assert against(ASKED) == []
    assert against(replace(ASKED, asked_erasure=True)) == [("erased_by_another", None, None)]
    assert against(replace(ASKED, owed=2)) == [("nothing_owed", 0, 2)]
    assert against(replace(ASKED, accounts=1)) == [("accounts_ended", 0, 1)]
    living = (Had("placement", "active", TODAY), Had("obligation", "pending", TODAY), Had("obligation", "done", TODAY))
    assert against(replace(ASKED, things=living)) == [("nothing_live", None, ["obligation", "placement"])]
    gone = replace(ASKED, state="erased")
    assert [r[0] for r in against(gone)] == ["not_from_this_state"]
    assert [o.action for o in TRAINEE_RECORD.offers(gone, Actor(UUID(int=7), frozenset(Role))) if o.open] == []


@pytest.mark.parametrize("subject", LIVE_BESIDE)
def test_whatever_lives_is_told(subject: str) -> None:
    assert LIVE.keys() <= LIVE_BESIDE.keys()
    for state in LIVE_BESIDE[subject]:
        assert live([Had(subject, state, TODAY)]) == [subject]
    assert live([Had(subject, "voided", TODAY), Had("certificate", "verified", TODAY)]) == []


def test_law_that_was_read_keeps_a_record_and_one_that_was_not_may_be_set_aside() -> None:
    had = (Had("enrolment", "completed", date(2024, 7, 1)), Had("placement", "closed", date(2025, 3, 1)))
    facts = replace(ASKED, things=had, retention=(GOOD, TWO_YEARS))
    assert against(facts, set_aside=("graduates",)) == [("kept_by_law", "2027-03-01", "ledger")]
    assert against(facts, set_aside=("ledger",)) == [
        ("kept_by_law", "2027-03-01", "ledger"), ("rule_set_aside_known", ["graduates"], None)
    ]  # fmt: skip
    later = replace(facts, today=date(2027, 3, 2))
    assert against(later) == [("kept_by_law", "for_good", "graduates")]
    assert against(later, set_aside=("graduates",)) == []


def test_retention_ends_after_its_last_day() -> None:
    had = [Had("placement", "closed", date(2022, 1, 5)), Had("placement", "closed", date(2024, 2, 29))]
    assert kept([TWO_YEARS], had, date(2026, 3, 1)) == [Kept(TWO_YEARS, date(2026, 3, 1))]
    assert kept([TWO_YEARS], had, date(2026, 3, 2)) == []
    assert kept([TWO_YEARS, GOOD], [Had("placement", "active", TODAY)], TODAY) == []
    assert [years_later(date(2024, 2, 29), n) for n in (1, 4)] == [date(2025, 3, 1), date(2028, 2, 29)]


def test_what_is_shut_offers_every_action_closed_for_one_reason() -> None:
    why = Reason("record_open", required="known", actual="erased")
    for lifecycle in (COST, TRAINEE_RECORD):
        made = lifecycle.shut(why)
        assert {(o.open, o.reasons, o.inputs) for o in made} == {(False, (why,), ())}
        assert {o.action for o in made} == set(lifecycle.actions()) - {"take_back"}  # the system's own is never offered
    assert {o.action for o in COST.shut(why)} == {"repay", *KERNEL_ACTIONS}
