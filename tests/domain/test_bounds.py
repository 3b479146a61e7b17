"""Where rules of many capabilities turn, and what they say in full."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain import (
    accounts,
    applications,
    certificates,
    completion,
    courses,
    enrolments,
    placements,
    reports,
    terms,
    trainees,
    values,
)
from service.domain.actors import COORDINATOR, Actor
from service.domain.certificates import CertificateDossier
from service.domain.conversion import CreditPolicy, Leg, convert_credits, plain
from service.domain.conversion.credits import LEGS_MOST, CreditScheme
from service.domain.conversion.trace import FORMULAS, Trace, exact
from service.domain.enrolments import EnrolmentDossier
from service.domain.gates import gated
from service.domain.languages import Held as Paper
from service.domain.languages import LanguageTests
from service.domain.levels import Days, Held, Proof
from service.domain.lifecycle import NEW, Lifecycle, Reason, Refused, Rule
from service.domain.obligations import Held as Watched
from service.domain.obligations import opened_by_clock
from service.domain.regulations import Regulation
from service.domain.requirements import Due, Evidence, Pack, Packs, RequirementFacts, Transition
from service.domain.retention import Had
from tests.domain.test_candidacies import dossier as candidacy
from tests.domain.test_erasure import ASKED, GOOD, TWO_YEARS
from tests.domain.test_obligations import NONE, SOURCE
from tests.domain.test_obligations import row as duty
from tests.domain.test_placements import dossier as placement
from tests.domain.test_requirements import row
from tests.domain.test_studying import FITTING
from tests.domain.test_values import AS_OF, LINE1, LINE2

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
D = Decimal
ID = UUID(int=1)


def told(reason: Reason | None) -> tuple[str, Any, Any, str | None] | None:
    return (reason.code, reason.required, reason.actual, reason.pointer) if reason else None


def codes(found: Any) -> list[str]:
    return [r.code for r in found]


# ---- accounts
def test_one_role_of_the_staff_is_enough_to_need_an_administrator() -> None:
    new = accounts.NewAppointment(state=NEW, today=TODAY, asked_by=("coordinator",))
    mixed = {"roles": ("trainee", "registrar")}
    assert told(accounts.staff_by_admin(new, mixed)) == ("role", ["admin"], ["coordinator"], "/roles")
    assert accounts.staff_by_admin(replace(new, asked_by=("admin",)), mixed) is None
    assert accounts.staff_by_admin(new, {"roles": ("trainee",)}) is None


@pytest.mark.parametrize("ours", [True, False])
def test_password_is_reset_where_the_account_is_ours(ours: Any) -> None:
    held = accounts.AppointmentDossier(state="held", today=TODAY, ours=ours)
    assert told(accounts.account_ours(held)) == (None if ours else ("account_ours", None, None, None))


# ---- certificates and levels
def test_days_of_a_certificate_are_compared_where_both_are_known() -> None:
    c = CertificateDossier(state="recorded", today=TODAY)
    assert certificates.days_in_order(c, {"result_on": TODAY}) == []
    assert certificates.days_in_order(c, {"taken_on": TODAY, "result_on": TODAY}) == []
    early = certificates.days_in_order(c, {"taken_on": TODAY, "result_on": TODAY - DAY})
    assert [told(r) for r in early] == [("result_after_taken", TODAY, TODAY - DAY, "/result_on")]


def test_certificate_proves_its_own_test_from_its_own_level_down() -> None:
    held = Held(kind="language", test="jlpt", level="N3")
    assert [held.proves(Proof(test="jlpt", level=level)) for level in ("N4", "N3", "N2", None)] == [
        True,
        True,
        False,
        True,
    ]
    assert not held.proves(Proof(test="goethe", level=None))
    assert not held.proves(Proof(test="goethe", level="B1"))


def test_verdict_is_for_a_purpose_and_of_a_paper() -> None:
    days = Days(TODAY, TODAY, LanguageTests())
    paper = Paper(state="verified", test="jlpt")
    held = Held(kind="language", test="jlpt", paper=paper)
    assert days.verdict(held, Proof(test="jlpt", level=None)) is None
    assert days.verdict(replace(held, paper=None), Proof(test="jlpt", level=None, purpose="visa")) is None
    assert days.verdict(held, Proof(test="jlpt", level=None, purpose="visa")) is not None


# ---- passports
def test_check_digit_of_every_character_there_is() -> None:
    everything = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
    assert values.check_digit(everything) == str(sum(
        v * w for v, w in zip([*range(36), 0], (7, 3, 1) * 13, strict=False)
    ) % 10)  # fmt: skip
    assert values._line_problems("/line1", everything + "<" * 7) == []


@pytest.mark.parametrize(("birth", "check", "code"), [
    ("<41012", "0", "birth_on_incomplete"), ("74101<", "0", "birth_on_incomplete"), ("740000", "<", "birth_on_not_a_date"),
    ("741301", "0", "birth_on_not_a_date"), ("740012", "0", "birth_on_not_a_date"), ("740100", "0", "birth_on_not_a_date"),
])  # fmt: skip
def test_birth_date_is_incomplete_where_a_part_of_it_is_left_out(birth: str, check: str, code: str) -> None:
    line = LINE2[:13] + birth + check + LINE2[20:]
    found = values.read_mrz(LINE1, line, as_of=AS_OF)
    assert isinstance(found, tuple)
    assert code in [p.code for p in found]


# ---- applications, enrolments, courses, candidacies, erasure, reports
def test_application_was_submitted_while_the_intake_was_open() -> None:
    a = replace(FITTING["APPLICATION"], opens_on=TODAY, closes_on=TODAY + 9 * DAY)
    bounds = {"least": TODAY, "most": TODAY + 9 * DAY}

    def on(days: int) -> Any:
        return told(applications.within_the_dates(a, {"occurred_on": TODAY + days * DAY}))

    assert [on(0), on(9)] == [None, None]
    assert [on(-1), on(10)] == [("within_the_dates", bounds, TODAY + n * DAY, "/occurred_on") for n in (-1, 10)]


def test_enrolment_of_a_foreign_student_asks_for_what_is_on_record_on_its_day() -> None:
    ask = row("jw202", needed_before="enrolled", validity=())
    until = RequirementFacts(evidence={"jw202": Evidence(state="accepted", valid_until=TODAY - DAY)})
    e = EnrolmentDossier(
        state="pending",
        today=TODAY,
        since_on=TODAY - 9 * DAY,
        intake_id=ID,
        source="*",
        asked=(ask,),
        requirements=until,
    )
    assert codes(enrolments.ENROL_MET(e, {})) == ["requirement_expired"]
    assert enrolments.ENROL_MET(e, {"occurred_on": TODAY - DAY}) == []
    assert enrolments.ENROL_OPEN(e) == [], "it can have happened yesterday"
    never = replace(e, requirements=RequirementFacts())
    assert codes(enrolments.ENROL_OPEN(never)) == ["requirement_missing"]


def test_course_of_a_partner_that_is_known() -> None:
    new = courses.NewCourse(state=NEW, today=TODAY, owner_known=True)
    assert courses.owner_known(new, {"owner_id": ID}) is None
    assert courses.owner_known(replace(new, owner_known=False), {}) is None
    assert told(courses.owner_known(replace(new, owner_known=False), {"owner_id": ID})) == (
        "organisation_known", None, None, "/owner_id",
    )  # fmt: skip


def test_candidacy_without_its_request_can_stand_beside_others() -> None:
    from service.domain.candidacies.guards import can_live_again

    other = candidacy("nominated")
    lost = replace(candidacy("withdrawn"), request=None, siblings=(_sibling(other),))
    assert "no_live_candidacy" not in [r.code for r in can_live_again(lost)]
    same = replace(candidacy("withdrawn"), siblings=(_sibling(other),))
    assert "no_live_candidacy" in [r.code for r in can_live_again(same)]


def _sibling(c: Any) -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(seats=c.request.seats, state="nominated")


def test_law_that_was_read_is_not_set_aside() -> None:
    had = (Had("enrolment", "completed", date(2024, 7, 1)), Had("placement", "closed", date(2025, 3, 1)))
    both = replace(ASKED, things=had, retention=(GOOD, TWO_YEARS))
    assert len(trainees.unread_law_set_aside(both, {})) == 1
    assert trainees.unread_law_set_aside(both, {"set_aside": (GOOD.code,)}) == []


@pytest.mark.parametrize(("on", "fits"), [
    (date(2025, 12, 31), False), (date(2026, 1, 1), True), (TODAY, True), (TODAY + DAY, False),
])  # fmt: skip
def test_report_is_drawn_up_from_new_years_day_to_today(on: date, fits: Any) -> None:
    new = reports.NewReport(state=NEW, today=TODAY)
    found = told(reports.as_of_fits(new, {"year": 2026, "as_of": on}))
    wrong = ("as_of_fits", {"least": date(2026, 1, 1), "most": TODAY}, on, "/as_of")
    assert found == (None if fits else wrong)


# ---- terms
def test_terms_are_compared_where_both_are_numbers() -> None:
    assert terms.worse({"leave_days": "12"}, {}) == ("leave_days",)
    assert terms.worse({"leave_days": "12"}, {"leave_days": "twelve"}) == ("leave_days",)
    assert terms.worse({"leave_days": "some"}, {"leave_days": "12"}) == ("leave_days",)
    assert terms.worse({"leave_days": "some"}, {"leave_days": "some"}) == ()
    assert terms.number(value=True) is None


# ---- gates
def test_day_of_a_gated_step_lies_between_the_last_step_and_the_last_day_on_which_the_gate_stood_open() -> None:
    def closed(d: Any, on: date) -> list[Reason]:
        return [Reason("too_late")] if on > TODAY - 2 * DAY else []

    gate_open, met, takes = gated(closed, lambda _: [TODAY - 2 * DAY])
    (on,) = takes
    e = EnrolmentDossier(state="pending", today=TODAY, since_on=TODAY - 9 * DAY, intake_id=ID, source="*")
    assert gate_open(e) == []
    assert (codes(met(e, {})), met(e, {"occurred_on": TODAY - 2 * DAY})) == (["too_late"], [])
    assert on.bounds(e) == {"least": TODAY - 9 * DAY, "most": TODAY - 2 * DAY}
    (never,) = gated(lambda *_: [Reason("shut")], lambda _: [TODAY])[2]
    assert never.bounds(e) == {"least": TODAY - 9 * DAY, "most": TODAY}
    table = Lifecycle[Any]("trip", [
        Rule("go", [NEW], "pending", [COORDINATOR], [], "trip.began"),
        Rule("leave", ["pending"], "left", [COORDINATOR], [gate_open], "trip.left", takes=takes, checks=[met]),
    ])  # fmt: skip
    actor = Actor(uuid4(), frozenset({COORDINATOR}))
    for day in (TODAY - 10 * DAY, TODAY - DAY):
        with pytest.raises(Refused) as no:
            table.decide("leave", e, actor, {"occurred_on": day})
        assert "occurred_on_in_range" in [r.code for r in no.value.reasons]
    assert table.decide("leave", e, actor, {"occurred_on": TODAY - 2 * DAY}).to_state == "left"


# ---- completion
def test_part_that_is_not_required_is_no_condition() -> None:
    parts = tuple(
        completion.Assessed(name=n, max_mark=D(10), pass_mark=D(6), weight=D(1), required=n == "reading", mark=D(5))
        for n in ("reading", "writing")
    )
    whole = completion.Assessed(name="exam", max_mark=D(10), pass_mark=D(5), weight=D(1), required=True, parts=parts)
    found = [str(r.required) for r in completion.unmet(completion.Achieved(assessed=(whole,)))]
    assert ([n for n in found if "reading" in n] != [], [n for n in found if "writing" in n]) == (True, [])


# ---- numbers and traces
@pytest.mark.parametrize("text", ["٣", "1e3", "1_000", "nan", "", "1" * 201, "1/0", "+1", "1 2"])
def test_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        exact(text)


def test_number_of_two_hundred_digits_is_one() -> None:
    assert (exact("1" * 200), exact(" 12,5 "), exact("-3/4")) == (Fraction("1" * 200), Fraction(25, 2), Fraction(-3, 4))


def test_trace_shows_how_each_number_came_about() -> None:
    trace = (
        Trace().then("ratio", rule="r", source="s", amount="2", factor="3").then("ratio", last=("amount",), factor="5")
    )
    reads = FORMULAS["ratio"].text
    assert plain(trace) == [
        {"step": 0, "formula": "ratio", "reads": reads, "inputs": {"amount": "2", "factor": "3"}, "takes": {}, "rule": "r",
         "source": "s", "result": {"amount": "6"}},
        {"step": 1, "formula": "ratio", "reads": reads, "inputs": {"amount": "6", "factor": "5"},
         "takes": {"amount": {"step": 0, "name": "amount"}}, "rule": None, "source": None, "result": {"amount": "30"}},
    ]  # fmt: skip


@pytest.mark.parametrize(("amount", "mode", "rounded"), [
    ("2.49", "half_up", "2"), ("2.5", "half_up", "3"), ("2.99", "down", "2"), ("3", "down", "3"),
])  # fmt: skip
def test_credits_are_rounded_half_up_or_down(amount: str, mode: str, rounded: str) -> None:
    found = FORMULAS["round_credits"].compute(amount=amount, mode=mode, step="1")
    assert found["amount"] == rounded


def a_scheme(code: str, year: int) -> CreditScheme:
    said = Regulation(
        no=1, effective_from=TODAY, hours_per_credit=D(16), full_year_credits=None, credits_per_course=None,
        credits_per_kind=(), credits_in_all=None, credits_gap=None, overlap_percent=None, elective_for_required=False,
        signatures=(),
    ).scheme.source  # fmt: skip
    return CreditScheme(
        code=code, version="1", title="", effective_from=None, effective_to=None, full_year_credits=D(year), hours_min=None,
        hours_max=None, contact_min=None, contact_max=None, source=replace(said, source=f"The law on {code}"),
    )  # fmt: skip


def test_chain_of_schemes_converts_from_each_to_the_next() -> None:
    schemes = tuple(a_scheme(c, n) for c, n in (("a", 60), ("b", 30), ("c", 120)))
    legs = (Leg(to_scheme="b", method="annual_load"), Leg(to_scheme="c", method="annual_load"))
    trace = convert_credits(D(6), CreditPolicy(from_scheme="a", legs=legs), schemes, TODAY)
    assert isinstance(trace, Trace)
    assert (trace.steps[0].rule, trace.steps[0].source) == (schemes[0].key, schemes[0].read_in)
    assert schemes[0].read_in != schemes[1].read_in != schemes[2].read_in
    assert [s.result["amount"] for s in trace.steps] == ["6", "3", "12"]
    back = Leg(to_scheme="a", method="annual_load")
    long = tuple(replace(back, to_scheme="ab"[n % 2]) for n in range(LEGS_MOST))
    assert isinstance(convert_credits(D(6), CreditPolicy(from_scheme="b", legs=long), schemes, TODAY), Trace)
    over = convert_credits(D(6), CreditPolicy(from_scheme="b", legs=(*long, back)), schemes, TODAY)
    assert isinstance(over, list)
    assert [told(r) for r in over] == [("legs_at_most", LEGS_MOST, LEGS_MOST + 1, "/credits/legs")]


# ---- obligations that come again
def test_first_period_opens_though_the_stay_has_ended_and_no_further_one_does() -> None:
    yearly = duty("report", "started_work", Due(1, "years"))

    def periods(ended: date | None, start: date | None = TODAY) -> list[str]:
        held = Watched(rules=(("a@1", yearly),), started={"started_work": start}, ended_on=ended, live=False)
        return [o.period for o in opened_by_clock(held, NONE, TODAY + 1000 * DAY, {})]

    assert periods(TODAY + 400 * DAY) == ["1", "2"]
    assert periods(TODAY - DAY) == ["1"]
    assert periods(date(2027, 11, 22)) == ["1", "2"]
    assert periods(date(2027, 11, 21)) == ["1"]
    assert periods(None, start=None) == [], "it has not begun"


# ---- a newer version that moves whoever is on the way
def moving(packs: Packs, **more: Any) -> Pack:
    """The next version of a pathway, which moves everybody at once."""
    return replace(packs.pathway, version=99, transition=Transition("move", None, SOURCE), **more)


def test_candidacy_is_moved_where_the_request_and_its_day_are_known() -> None:
    c = candidacy("nominated")
    assert c.pinned is not None
    assert c.request is not None
    assert c.packs_to_follow() is None
    newer = replace(c, packs=(*c.packs, moving(c.pinned)))
    found = newer.packs_to_follow()
    assert found is not None
    assert found.pathway.version == 99
    undated = replace(c.request.job, planned_departure_on=None, starts_on=None)
    for lost in (None, replace(c.request, job=undated)):
        assert replace(newer, request=lost).packs_to_follow() is None
    assert replace(newer, pinned=None).packs_to_follow() is None


def test_placement_is_moved_where_who_and_where_and_when_are_known() -> None:
    p = placement()
    assert p.packs is not None
    assert placements.packs_to_follow(p) is None
    newer = replace(p, library=(*p.library, moving(p.packs, nationalities=(), destinations=())))
    found = placements.packs_to_follow(newer)
    assert found is not None
    assert found.pathway.version == 99
    for unknown in (replace(p.facts, nationality=None), replace(p.facts, destination=None)):
        assert placements.packs_to_follow(replace(newer, facts=unknown)) is None
    undated = replace(p.facts, planned_departure_on=None, starts_on=None)
    assert placements.packs_to_follow(replace(newer, facts=undated)) is None
    assert placements.packs_to_follow(replace(newer, packs=None)) is None
