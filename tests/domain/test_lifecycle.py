"""The kernel: what a table of rules grants, refuses and publishes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import uuid4

import pytest

from service.domain.actors import ADMIN, COORDINATOR, ENTERPRISE, SYSTEM, THE_SYSTEM, TRAINEE, Actor, Role
from service.domain.lifecycle import (
    NEW,
    VOIDED,
    Dossier,
    Given,
    LastStep,
    Lifecycle,
    Reason,
    Refused,
    Rule,
    Step,
    Takes,
    because,
)

TODAY = date(2026, 11, 22)
PAPER: Given = {"evidence": (uuid4(),)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip(Dossier):
    visa_until_on: date | None = None
    seats: int = 1


def visa_granted(t: Trip) -> Reason | None:
    """There is a visa."""
    return None if t.visa_until_on else Reason("visa_granted")


def seat_free(t: Trip) -> list[Reason]:
    """A seat is left."""
    return [] if t.seats else [Reason("seat_free", required=1, actual=t.seats)]


def not_a_monday(_: Trip, given: Given) -> Reason | None:
    """Flights do not leave on Mondays."""
    return Reason("not_a_monday", pointer="/leaves_on") if given["leaves_on"].weekday() == 0 else None


LEAVES = Takes[Trip](
    "leaves_on", date, "The flight.", least=lambda t: t.today, most=lambda t: t.visa_until_on, code="inside_visa"
)
# fmt: off
TRIP = Lifecycle[Trip]("trip", [
    Rule("plan",   [NEW],                "planned",            [COORDINATOR],          [],                       "trip.planned"),
    Rule("leave",  ["planned"],          "away",               [COORDINATOR],          [visa_granted, seat_free], "trip.left",
         takes=[LEAVES], checks=[not_a_monday]),
    Rule("arrive", ["away"],             "there",              [ENTERPRISE, TRAINEE],  [],                       "trip.arrived"),
    Rule("settle", ["there"],            ["home", "lost"],     [ADMIN],                [],                       "trip.settled",
         takes=[Takes("outcome", str, choices=["home", "lost"])], which=lambda _, given: str(given.get("outcome") or "home"), undo=False),
    Rule("cancel", ["planned", "away"],  "cancelled",          [COORDINATOR],          [],                       "trip.cancelled",
         takes=[because("ill", "other")], undo=[seat_free]),
    Rule("expire", ["planned"],          "expired",            [SYSTEM],               [],                       "trip.expired"),
    Rule("prove",  ["planned"],          "planned",            [COORDINATOR, SYSTEM],  [],                       "trip.proved", evidence=True),
])
# fmt: on


def actor(*roles: Role) -> Actor:
    return Actor(uuid4(), frozenset(roles))


def trip(state: str = "planned", **more: object) -> Trip:
    return replace(Trip(state=state, today=TODAY, since_on=TODAY - timedelta(days=3)), **more)  # type: ignore[arg-type]


def reasons(action: str, facts: Trip, who: Actor, given: Given | None = None) -> list[str]:
    with pytest.raises(Refused) as no:
        TRIP.decide(action, facts, who, given)
    return [r.code for r in no.value.reasons]


def last(action: str, a: str, b: str, *, days: int = 0, recorded_for: Role | None = None) -> LastStep:
    return LastStep(3, action, a, b, TODAY - timedelta(days=days), recorded_for)


def test_decide_grants_a_step_whose_every_condition_holds() -> None:
    facts = trip(visa_until_on=TODAY + timedelta(days=30))
    step = TRIP.decide("leave", facts, actor(COORDINATOR), {"leaves_on": TODAY + timedelta(days=2)})
    assert step == Step("trip", "leave", "planned", "away", "trip.left")


def test_decide_names_every_guard_that_fails() -> None:
    assert reasons("leave", trip(seats=0), actor(COORDINATOR)) == ["visa_granted", "seat_free", "input_required"]


def test_decide_asks_a_check_only_where_guards_and_bounds_hold() -> None:
    facts = trip(visa_until_on=TODAY + timedelta(days=30))
    monday = TODAY + timedelta(days=(7 - TODAY.weekday()) % 7 or 7)
    assert reasons("leave", facts, actor(COORDINATOR), {"leaves_on": monday}) == ["not_a_monday"]
    assert reasons("leave", facts, actor(COORDINATOR), {"leaves_on": TODAY - timedelta(days=1)}) == ["inside_visa"]
    assert reasons("leave", facts, actor(COORDINATOR), {"leaves_on": TODAY + timedelta(days=31)}) == ["inside_visa"]


def test_decide_names_the_moves_that_are_open_instead() -> None:
    with pytest.raises(Refused) as no:
        TRIP.decide("arrive", trip(), actor(COORDINATOR))
    assert no.value.reasons == (Reason("not_from_this_state", required=["away"], actual="planned"),)
    assert no.value.open_actions == ("cancel", "prove")
    assert no.value.by_role is False


def test_decide_refuses_a_role_that_is_not_in_the_row() -> None:
    with pytest.raises(Refused) as no:
        TRIP.decide("leave", trip(visa_until_on=TODAY), actor(TRAINEE), {"leaves_on": TODAY})
    assert [r.code for r in no.value.reasons] == ["role"]
    assert no.value.by_role is True
    assert reasons("leave", trip("cancelled"), actor(TRAINEE)) == ["role", "not_from_this_state"]
    assert reasons("fly", trip(), actor(COORDINATOR)) == ["role", "not_from_this_state"]


def test_a_step_of_another_party_is_recorded_with_evidence_and_marked() -> None:
    who, away = actor(COORDINATOR), trip("away")
    assert reasons("arrive", away, who) == ["recorded_for_required"]
    assert reasons("arrive", away, who, {"recorded_for": "agency", **PAPER}) == ["recorded_for_party"]
    assert reasons("arrive", away, who, {"recorded_for": "trainee"}) == ["evidence_required"]
    step = TRIP.decide("arrive", away, who, {"recorded_for": "trainee", **PAPER})
    assert step.recorded_for == TRAINEE
    assert reasons("arrive", away, actor(TRAINEE), {"recorded_for": "trainee", **PAPER}) == ["role"]
    assert TRIP.decide("arrive", away, actor(TRAINEE)).recorded_for is None


def test_a_row_that_asks_for_evidence_gets_it_from_everybody_but_the_system() -> None:
    assert reasons("prove", trip(), actor(COORDINATOR)) == ["evidence_required"]
    assert TRIP.decide("prove", trip(), actor(COORDINATOR), PAPER).to_state == "planned"
    assert TRIP.decide("prove", trip(), THE_SYSTEM).to_state == "planned"


@pytest.mark.parametrize(("days", "refused"), [(-4, True), (-3, False), (0, False), (1, True)])
def test_occurred_on_lies_between_the_last_step_and_today(days: int, *, refused: bool) -> None:
    given = {"occurred_on": TODAY + timedelta(days=days), **PAPER}
    if refused:
        assert reasons("prove", trip(), actor(COORDINATOR), given) == ["occurred_on_in_range"]
    else:
        assert TRIP.decide("prove", trip(), actor(COORDINATOR), given).action == "prove"


def test_a_negative_outcome_needs_one_of_its_codes() -> None:
    assert reasons("cancel", trip(), actor(COORDINATOR)) == ["input_required"]
    assert reasons("cancel", trip(), actor(COORDINATOR), {"reason_code": "bored"}) == ["reason_code_known"]
    assert TRIP.decide("cancel", trip(), actor(COORDINATOR), {"reason_code": "ill"}).to_state == "cancelled"


def test_the_input_chooses_among_the_targets_of_a_row() -> None:
    assert TRIP.decide("settle", trip("there"), actor(ADMIN), {"outcome": "lost"}).to_state == "lost"


def test_correct_reverses_the_last_step_with_a_reason() -> None:
    facts = trip("cancelled", last_step=last("cancel", "planned", "cancelled"))
    assert reasons("correct", facts, actor(COORDINATOR)) == ["input_required"]
    step = TRIP.decide("correct", facts, actor(COORDINATOR), {"note": "wrong person"})
    assert (step.from_state, step.to_state, step.corrects, step.event) == ("cancelled", "planned", 3, "trip.corrected")
    born = trip("planned", last_step=last("plan", NEW, "planned"))
    assert TRIP.decide("correct", born, actor(COORDINATOR), {"note": "twice"}).to_state == VOIDED


@pytest.mark.parametrize(("days", "who", "expected"), [
    (14, COORDINATOR, []), (15, COORDINATOR, ["correctable_until"]), (15, ADMIN, []), (0, TRAINEE, ["role"]),
])  # fmt: skip
def test_correct_is_a_coordinators_for_fourteen_days_and_an_administrators_after(
    days: int, who: Role, expected: list[str]
) -> None:
    facts = trip("cancelled", last_step=last("cancel", "planned", "cancelled", days=days))
    given = {"note": "wrong"}
    if expected:
        assert reasons("correct", facts, actor(who), given) == expected
    else:
        assert TRIP.decide("correct", facts, actor(who), given).to_state == "planned"


def test_correct_is_refused_where_what_the_step_moved_cannot_be_moved_back() -> None:
    given = {"note": "wrong"}
    taken = trip("cancelled", seats=0, last_step=last("cancel", "planned", "cancelled"))
    assert reasons("correct", taken, actor(COORDINATOR), given) == ["seat_free"]
    settled = trip("home", last_step=last("settle", "there", "home"))
    assert reasons("correct", settled, actor(COORDINATOR), given) == ["correctable"]
    assert reasons("correct", trip(), actor(COORDINATOR), given) == ["something_to_correct"]


def test_contest_and_uphold() -> None:
    recorded = trip("there", last_step=last("arrive", "away", "there", days=30, recorded_for=TRAINEE))
    given = {"note": "I was not there"}
    assert TRIP.decide("contest", recorded, actor(TRAINEE), given).to_state == "there"
    assert reasons("contest", recorded, actor(ENTERPRISE), given) == ["role"]
    assert reasons("contest", recorded, actor(TRAINEE)) == ["input_required"]
    late = trip("there", last_step=last("arrive", "away", "there", days=31, recorded_for=TRAINEE))
    assert reasons("contest", late, actor(TRAINEE), given) == ["contestable_until"]
    own = trip("there", last_step=last("arrive", "away", "there"))
    assert reasons("contest", own, actor(TRAINEE), given) == ["recorded_for_somebody"]
    contested = replace(recorded, contested=True)
    assert reasons("contest", contested, actor(TRAINEE), given) == ["not_contested_yet"]
    assert TRIP.decide("uphold", contested, actor(COORDINATOR), given).to_state == "there"
    assert reasons("uphold", recorded, actor(TRAINEE)) == ["role", "contested", "input_required"]


def test_offers_list_every_action_open_or_closed_with_its_reasons_and_bounds() -> None:
    facts = trip(visa_until_on=TODAY + timedelta(days=30), last_step=last("plan", NEW, "planned"))
    offers = {o.action: o for o in TRIP.offers(facts, actor(COORDINATOR))}
    assert list(offers) == ["leave", "arrive", "settle", "cancel", "prove", "correct", "contest", "uphold"]
    assert [a for a, o in offers.items() if o.open] == ["leave", "cancel", "prove", "correct"]
    leaves = next(i for i in offers["leave"].inputs if i["name"] == "leaves_on")
    assert leaves == {
        "name": "leaves_on",
        "type": "date",
        "needed": True,
        "about": "The flight.",
        "least": TODAY,
        "most": TODAY + timedelta(days=30),
    }
    assert [r.code for r in offers["settle"].reasons] == ["role", "not_from_this_state"]
    assert offers["correct"].to == (VOIDED,)


def test_offers_to_a_coordinator_say_for_whom_a_step_can_be_recorded() -> None:
    arrive = next(o for o in TRIP.offers(trip("away"), actor(COORDINATOR)) if o.action == "arrive")
    asked = {i["name"]: i for i in arrive.inputs}
    assert arrive.open is True
    assert asked["recorded_for"]["choices"] == [ENTERPRISE, TRAINEE]
    assert asked["evidence"]["needed"] is True


def test_what_is_offered_is_granted_and_what_is_closed_is_refused_with_the_same_reasons() -> None:
    given = {"leaves_on": TODAY + timedelta(days=2), "outcome": "home", "reason_code": "ill", "note": "n", **PAPER}
    for state in TRIP.states():
        for role in Role:
            for visa in (None, TODAY + timedelta(days=9)):
                facts = trip(state, visa_until_on=visa)
                for offer in TRIP.offers(facts, actor(role)):
                    recorded = any(i["name"] == "recorded_for" for i in offer.inputs)
                    more = {"recorded_for": "trainee"} if recorded else {}
                    if offer.open:
                        assert TRIP.decide(offer.action, facts, actor(role), {**given, **more}).to_state in offer.to
                    else:
                        assert reasons(offer.action, facts, actor(role), given) == [r.code for r in offer.reasons]


def test_follow_is_the_systems_own_step() -> None:
    assert TRIP.follow("expire", "planned").to_state == "expired"
    assert TRIP.follows("expire", "planned") is True
    assert TRIP.follows("expire", "away") is False
    with pytest.raises(Refused):
        TRIP.follow("expire", "away")


def test_edges_publish_every_move_and_every_reverse() -> None:
    assert TRIP.edges() == sorted([
        ("", "planned"), ("away", "cancelled"), ("away", "planned"), ("away", "there"), ("cancelled", "away"),
        ("cancelled", "planned"), ("expired", "planned"), ("planned", "away"), ("planned", "cancelled"),
        ("planned", "expired"), ("planned", "planned"), ("planned", "voided"), ("there", "away"), ("there", "home"),
        ("there", "lost"),
    ])  # fmt: skip
    assert TRIP.initials() == ["planned"]
    assert TRIP.births() == ["plan"]
    assert TRIP.states() == ["planned", "away", "there", "home", "lost", "cancelled", "expired", "voided"]


def test_mermaid_draws_the_table() -> None:
    drawn = TRIP.mermaid().splitlines()
    assert drawn[0] == "stateDiagram-v2"
    assert "    [*] --> planned: plan" in drawn
    assert "    planned --> cancelled: cancel" in drawn
    assert "    cancelled --> [*]" in drawn


def test_a_lifecycle_without_corrections_publishes_none() -> None:
    plain = Lifecycle[Dossier]("plain", [Rule("begin", [NEW], "on", [ADMIN], [], "plain.begun")], correctable=False)
    assert plain.edges() == [("", "on")]
    assert plain.offers(Dossier(state="on", today=TODAY), actor(ADMIN)) == []
    assert plain.actions() == []
