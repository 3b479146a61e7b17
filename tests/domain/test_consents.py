"""Consents as decisions: every action from every state by every role, and every guard."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain.actors import COORDINATOR, GUARDIAN, SIGHTS, SYSTEM, TRAINEE, Actor, Role
from service.domain.consents import CONSENT, NOTICE, ConsentDossier, NewConsent
from service.domain.lifecycle import NEW, LastStep, Refused
from service.domain.placement_requests import RequestSeats, Standing

TODAY = date(2026, 6, 1)
ADULT, MINOR = date(2000, 1, 1), date(2010, 6, 2)
WHOLE = {
    "purpose": "statistics",
    "fields": ("sex",),
    "notice": dict.fromkeys(NOTICE, "words"),
}
EDGES = {
    ("requested", "give"): "given",
    ("requested", "refuse"): "refused",
    ("given", "withdraw"): "withdrawn",
}


def actor(role: Role) -> Actor:
    return Actor(UUID(int=7), frozenset({role}), SIGHTS[role])


def codes(action: str, facts: Any, role: Role, **given: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        CONSENT.decide(action, facts, actor(role), given)
    return [r.code for r in refused.value.reasons]


def dossier(role: Role, state: str = "requested", birth_on: date = ADULT, **more: Any) -> ConsentDossier:
    return ConsentDossier(state=state, today=TODAY, birth_on=birth_on, asked_by=(role,), **more)


@pytest.mark.parametrize("role", [r for r in Role if r is not SYSTEM])
@pytest.mark.parametrize("state", CONSENT.states())
def test_consent_moves_only_along_its_table(state: str, role: Role) -> None:
    facts = dossier(role, state, MINOR if role is GUARDIAN else ADULT)
    open_actions = {o.action for o in CONSENT.offers(facts, actor(role)) if o.open}
    may = {TRAINEE, GUARDIAN, COORDINATOR}
    assert open_actions == {a for (source, a) in EDGES if source == state and role in may}
    for (source, action), target in EDGES.items():
        if source == state and role in (TRAINEE, GUARDIAN):
            assert CONSENT.decide(action, facts, actor(role)).to_state == target
        else:
            expected = ["not_from_this_state"] if source != state else []
            if role not in may:
                expected.insert(0, "role")
            elif not expected:
                expected = ["recorded_for_required"]
            assert codes(action, facts, role) == expected


def test_consent_is_asked_by_coordinators_with_a_whole_notice() -> None:
    new = NewConsent(state=NEW, today=TODAY)
    assert CONSENT.decide("request", new, actor(COORDINATOR), WHOLE).to_state == "requested"
    assert codes("request", new, TRAINEE, **WHOLE) == ["role"]
    assert codes("request", new, COORDINATOR, **WHOLE | {"notice": {"purpose": "x"}}) == ["notice_whole"]
    assert codes("request", new, COORDINATOR, **WHOLE | {"purpose": "nomination"}) == ["recipient_named"]
    named = WHOLE | {"purpose": "nomination", "recipient_id": uuid4()}
    assert codes("request", new, COORDINATOR, **named) == ["organisation_known"]
    known = NewConsent(state=NEW, today=TODAY, recipient_known=True)
    assert CONSENT.decide("request", known, actor(COORDINATOR), named).to_state == "requested"


@pytest.mark.parametrize(
    ("birth_on", "role", "reasons"),
    [
        (date(2008, 6, 1), TRAINEE, []),
        (date(2008, 6, 2), TRAINEE, ["guardian_speaks_for_minor"]),
        (date(2008, 6, 2), GUARDIAN, []),
        (date(2008, 6, 1), GUARDIAN, ["adult_speaks_for_themselves"]),
    ],
)
def test_consent_is_given_by_who_decides_from_the_eighteenth_birthday_on(
    birth_on: date, role: Role, reasons: list[str]
) -> None:
    facts = dossier(role, birth_on=birth_on)
    recorded = {"recorded_for": role, "evidence": (uuid4(),)}
    for asker, given in ((role, {}), (COORDINATOR, recorded)):
        asked = dossier(asker, birth_on=birth_on)
        if reasons:
            assert codes("give", asked, asker, **given) == reasons
        else:
            assert CONSENT.decide("give", asked, actor(asker), given).to_state == "given"
    assert [o.open for o in CONSENT.offers(facts, actor(role)) if o.action == "give"] == [not reasons]


@pytest.mark.parametrize(("action", "state"), [("refuse", "requested"), ("withdraw", "given")])
def test_minor_may_object_but_nobody_for_an_adult(action: str, state: str) -> None:
    evidence = (uuid4(),)
    for role in (TRAINEE, GUARDIAN):
        assert CONSENT.decide(action, dossier(role, state, MINOR), actor(role)).from_state == state
        recorded = {"recorded_for": role, "evidence": evidence}
        step = CONSENT.decide(action, dossier(COORDINATOR, state, MINOR), actor(COORDINATOR), recorded)
        assert step.recorded_for is role
    assert codes(action, dossier(GUARDIAN, state), GUARDIAN) == ["adult_speaks_for_themselves"]
    for_adult = {"recorded_for": GUARDIAN, "evidence": evidence}
    assert codes(action, dossier(COORDINATOR, state), COORDINATOR, **for_adult) == ["adult_speaks_for_themselves"]


def test_consent_ends_no_later_than_was_asked_for() -> None:
    facts = dossier(TRAINEE, ends_on=date(2026, 12, 31))
    assert CONSENT.decide("give", facts, actor(TRAINEE), {"ends_on": date(2026, 12, 31)}).to_state == "given"
    for day in (date(2027, 1, 1), date(2026, 5, 31)):
        assert codes("give", facts, TRAINEE, ends_on=day) == ["out_of_bounds"]


def test_consent_on_which_somebody_was_nominated_is_not_taken_back() -> None:
    last = LastStep(2, "give", "requested", "given", TODAY)
    seats = RequestSeats(UUID(int=1), "open", 1, 3, 1, 0, 0)

    def given(*states: str) -> ConsentDossier:
        standing = tuple(Standing(uuid4(), s, 1, seats) for s in states)
        return dossier(COORDINATOR, "given", last_step=last, standing=standing)

    for facts in (given(), given("consent_pending")):
        assert CONSENT.decide("correct", facts, actor(COORDINATOR), {"note": "no"}).to_state == "requested"
    with pytest.raises(Refused) as refused:
        CONSENT.decide("correct", given("consent_pending", "nominated", "offered"), actor(COORDINATOR), {"note": "no"})
    assert [(r.code, r.required, r.actual) for r in refused.value.reasons] == [("no_live_candidacies", 0, 2)]


def test_consent_follows_a_nomination_without_its_own_guards() -> None:
    assert CONSENT.follow("request", NEW).to_state == "requested"
    assert CONSENT.follow("give", "requested").to_state == "given"
    assert CONSENT.follow("refuse", "requested").to_state == "refused"
    assert CONSENT.follow("withdraw", "given").to_state == "withdrawn"
