"""The kernel at its corners: rows that share an action, bounds as data, whole pictures, first and last days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain.actors import ADMIN, AGENCY, COORDINATOR, ENTERPRISE, INSTRUCTOR, SYSTEM, TRAINEE, Actor, Role
from service.domain.lifecycle import (
    EVIDENCE,
    NEW,
    NOTE,
    OCCURRED_ON,
    VOIDED,
    Dossier,
    LastStep,
    Lifecycle,
    Offer,
    Reason,
    Refused,
    Rule,
    Step,
    Takes,
    described,
)

TODAY = date(2026, 11, 22)
OWN_DAY: Takes[Any] = Takes("occurred_on", date, "The day of the ticket.", least=TODAY)
# fmt: off
LAMP = Lifecycle[Dossier]("lamp", [
    Rule("hang",   [NEW],         "off",           [COORDINATOR],         [], "lamp.hung"),
    Rule("light",  [NEW],         "on",            [COORDINATOR],         [], "lamp.lit"),
    Rule("light",  ["off"],       "on",            [ADMIN],               [], "lamp.lit"),
    Rule("light",  ["dim"],       ["on", "off"],   [SYSTEM, TRAINEE],     [], "lamp.lit"),
    Rule("dim",    ["on"],        "dim",           [SYSTEM],              [], "lamp.dimmed", takes=[OWN_DAY]),
    Rule("dim",    ["broken"],    "dim",           [ADMIN],               [], "lamp.dimmed"),
    Rule("fail",   ["on"],        "broken",        [SYSTEM],              [], "lamp.failed"),
    Rule("fail",   [NEW],         "broken",        [SYSTEM],              [], "lamp.failed"),
    Rule("mend",   ["broken"],    "off",           [ENTERPRISE, AGENCY],  [], "lamp.mended", evidence=True),
    Rule("scrap",  ["off", "on"], VOIDED,          [ADMIN],               [], "lamp.scrapped"),
])
# fmt: on


def actor(*roles: Role) -> Actor:
    return Actor(uuid4(), frozenset(roles))


def lamp(state: str, **more: Any) -> Dossier:
    return Dossier(state=state, today=TODAY, **more)


def offer(state: str, action: str, *roles: Role, **more: Any) -> Offer:
    return next(o for o in LAMP.offers(lamp(state, **more), actor(*roles)) if o.action == action)


def last(action: str, before: str, after: str, **more: Any) -> LastStep:
    return LastStep(3, action, before, after, **({"recorded_on": TODAY} | more))


def refusal(action: str, facts: Dossier, *roles: Role, **given: Any) -> Refused:
    with pytest.raises(Refused) as no:
        LAMP.decide(action, facts, actor(*roles), given)
    return no.value


# ---- the table as data
def test_births_and_actions_share_a_name() -> None:
    assert LAMP.births() == ["hang", "light", "fail"]
    assert LAMP.actions() == ["light", "dim", "fail", "mend", "scrap", "correct", "contest", "uphold"]
    assert LAMP.initials() == ["broken", "off", "on"]
    assert LAMP.states() == ["off", "on", "dim", "broken", "voided"]
    assert [(r.is_birth, r.targets) for r in LAMP.by_action["light"]] == [
        (True, ("on",)), (False, ("on",)), (False, ("on", "off")),
    ]  # fmt: skip


def test_states_that_nothing_leads_to_are_states() -> None:
    stray = Lifecycle[Dossier]("stray", [Rule("end", ["old"], "over", [ADMIN], [], "stray.ended")])
    assert stray.states() == ["old", "over", "voided"]
    assert stray.initials() == []


def test_inputs_are_those_of_every_action_and_the_rows_own() -> None:
    assert LAMP.by_action["hang"][0].inputs == (OCCURRED_ON, NOTE, EVIDENCE)
    assert LAMP.by_action["dim"][0].inputs == (NOTE, EVIDENCE, OWN_DAY)


def test_mermaid_is_the_whole_picture() -> None:
    assert LAMP.mermaid().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> off: hang",
        "    [*] --> on: light",
        "    off --> on: light",
        "    dim --> on: light",
        "    dim --> off: light",
        "    on --> dim: dim",
        "    broken --> dim: dim",
        "    on --> broken: fail",
        "    [*] --> broken: fail",
        "    broken --> off: mend",
        "    off --> voided: scrap",
        "    on --> voided: scrap",
    ]
    twice = Lifecycle[Dossier]("twice", [Rule("go", ["a"], "b", [w], [], "twice.gone") for w in (ADMIN, SYSTEM)])
    assert twice.mermaid().splitlines() == ["stateDiagram-v2", "    a --> b: go", "    b --> [*]"]


def test_edges_of_rows_that_are_not_taken_back_lead_one_way() -> None:
    one_way = Lifecycle[Dossier](
        "one_way",
        [
            Rule("begin", [NEW], "a", [ADMIN], [], "x"),
            Rule("go", ["a"], "b", [ADMIN], [], "x", undo=False),
            Rule("turn", ["b"], "c", [ADMIN], [], "x", undo=[]),
        ],
    )
    assert one_way.edges() == [("", "a"), ("a", "b"), ("a", "voided"), ("b", "c"), ("c", "b")]


# ---- consequences
def test_follow_takes_the_systems_row_alone() -> None:
    assert LAMP.follow("light", "dim") == Step("lamp", "light", "dim", "on", "lamp.lit")
    assert [LAMP.follows("light", s) for s in (NEW, "off", "dim")] == [False, False, True]
    assert [LAMP.follows("dim", s) for s in ("on", "broken")] == [True, False]
    with pytest.raises(Refused) as no:
        LAMP.follow("light", "off")
    assert no.value.reasons == (Reason("not_from_this_state", required=["", "off", "dim"], actual="off"),)


# ---- refusals
def test_a_refusal_is_by_role_where_the_role_is_one_of_its_reasons() -> None:
    no = refusal("mend", lamp("on"), TRAINEE)
    assert [r.code for r in no.reasons] == ["role", "not_from_this_state"]
    assert no.by_role is True
    assert str(no) == "role, not_from_this_state"
    assert refusal("mend", lamp("on"), AGENCY).by_role is False


def test_another_action_than_those_that_are_there_is_nobodys() -> None:
    no = refusal("fly", lamp("on"), ADMIN)
    assert [(r.code, r.required) for r in no.reasons] == [("role", []), ("not_from_this_state", [])]
    assert no.open_actions == ("scrap",)


def test_a_step_recorded_for_another_is_a_coordinators_with_evidence() -> None:
    paper = (uuid4(),)
    (no,) = refusal("mend", lamp("broken"), COORDINATOR, recorded_for="trainee", evidence=paper).reasons
    assert (no.code, no.required, no.actual) == ("recorded_for_party", [AGENCY, ENTERPRISE], TRAINEE)
    (no,) = refusal("mend", lamp("broken"), COORDINATOR, evidence=paper).reasons
    assert (no.code, no.required) == ("recorded_for_required", [AGENCY, ENTERPRISE])
    said = {"recorded_for": "agency", "evidence": paper}
    assert LAMP.decide("mend", lamp("broken"), actor(COORDINATOR), said).recorded_for == AGENCY
    assert refusal("mend", lamp("broken"), AGENCY).reasons[0].code == "evidence_required"
    assert LAMP.decide("mend", lamp("broken"), actor(AGENCY, COORDINATOR), {"evidence": paper}).recorded_for is None


# ---- offers
def test_offers_leave_out_births_and_what_is_the_systems_alone() -> None:
    names = [o.action for o in LAMP.offers(lamp("on"), actor(ADMIN))]
    assert names == ["light", "dim", "mend", "scrap", "correct", "contest", "uphold"]
    assert offer("on", "light", ADMIN).to == ("on", "off")


def test_offers_say_that_evidence_is_needed() -> None:
    def needed(*roles: Role) -> list[str]:
        return [i["name"] for i in offer("broken", "mend", *roles).inputs if i["needed"]]

    assert needed(AGENCY) == ["evidence"]
    assert needed(COORDINATOR) == ["evidence", "recorded_for"]
    light = offer("dim", "light", COORDINATOR)
    assert [i["name"] for i in light.inputs if i["needed"]] == ["evidence", "recorded_for"]
    assert [i["name"] for i in offer("off", "light", ADMIN).inputs if i["needed"]] == []
    assert offer("off", "light", INSTRUCTOR).inputs == ()


def test_offers_of_the_kernel_ask_for_a_note() -> None:
    born = {"last_step": last("hang", NEW, "off")}
    correct = offer("off", "correct", ADMIN, **born)
    assert (correct.open, correct.to) == (True, (VOIDED,))
    assert [(i["name"], i["needed"]) for i in correct.inputs] == [
        ("occurred_on", False), ("note", True), ("evidence", False),
    ]  # fmt: skip
    closed = offer("off", "correct", ADMIN)
    assert (closed.open, closed.to, closed.inputs) == (False, (), ())


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (date, "date"), (datetime, "instant"), (str, "string"), (int, "integer"), (bool, "boolean"),
        (Decimal, "decimal"), (UUID, "id"), (tuple[UUID, ...], "ids"), (dict, "object"), (Dossier, "object"),
    ],
)  # fmt: skip
def test_inputs_are_described_by_their_kind(kind: Any, name: str) -> None:
    said = described(Takes[Any]("x", kind, "What.", needed=False, most=lambda f: f.today), lamp("on"))
    assert said == {"name": "x", "type": name, "needed": False, "about": "What.", "most": TODAY}


# ---- inputs
@pytest.mark.parametrize(
    ("takes", "value", "required"),
    [
        (Takes[Any]("x", date, least=TODAY), TODAY - timedelta(1), {"least": "2026-11-22"}),
        (Takes[Any]("x", date, least=TODAY), TODAY, None),
        (Takes[Any]("x", Decimal, most=Decimal("1.50")), Decimal("1.51"), {"most": "1.50"}),
        (Takes[Any]("x", Decimal, most=Decimal("1.50")), Decimal("1.50"), None),
        (Takes[Any]("x", int, least=0, most=2), 3, {"least": 0, "most": 2}),
        (Takes[Any]("x", int, least=0, most=2), 0, None),
        (Takes[Any]("x", int, least=0, most=2), -1, {"least": 0, "most": 2}),
        (Takes[Any]("x", str, choices=("a", "b")), "c", ["a", "b"]),
        (Takes[Any]("x", tuple[str, ...], choices=("a", "b")), ("a", "c"), ["a", "b"]),
        (Takes[Any]("x", tuple[str, ...], choices=("a", "b")), ["a", "c"], ["a", "b"]),
        (Takes[Any]("x", tuple[str, ...], choices=("a", "b")), ("a", "b"), None),
    ],
)
def test_bounds_are_kept_and_said_as_data(takes: Takes[Any], value: Any, required: Any) -> None:
    expected = required and Reason("out_of_bounds", required=required, pointer="/x")
    assert takes.refuse(lamp("on"), {"x": value}) == expected


@pytest.mark.parametrize("value", [None, (), []])
def test_nothing_is_no_input(value: Any) -> None:
    needed = Takes[Any]("x", tuple[str, ...], choices=("a",))
    assert needed.refuse(lamp("on"), {"x": value}) == Reason("input_required", required="x", pointer="/x")
    assert replace(needed, needed=False).refuse(lamp("on"), {"x": value}) is None
    assert needed.refuse(lamp("on"), {}) == Reason("input_required", required="x", pointer="/x")
    number = Takes[Any]("x", int, least=1)
    assert number.refuse(lamp("on"), {"x": 0}) == Reason("out_of_bounds", required={"least": 1}, pointer="/x")


# ---- correct, contest, uphold
def test_correct_wants_the_row_that_was_taken() -> None:
    note = {"note": "wrong"}
    mended = last("light", "off", "on")
    assert LAMP.decide("correct", lamp("on", last_step=mended), actor(ADMIN), note).to_state == "off"
    for step in (last("light", "broken", "on"), last("light", "off", "dim"), last("fly", "off", "on")):
        (no,) = refusal("correct", lamp("on", last_step=step), ADMIN, **note).reasons
        assert (no.code, no.actual) == ("correctable", step.action)


@pytest.mark.parametrize(("days", "open_"), [(29, True), (30, True), (31, False)])
def test_contest_is_the_partys_for_thirty_days(days: int, *, open_: bool) -> None:
    step = last("mend", "broken", "off", recorded_on=TODAY - timedelta(days), recorded_for=AGENCY)
    facts = lamp("off", last_step=step)
    if open_:
        assert LAMP.decide("contest", facts, actor(AGENCY), {"note": "no"}) == Step(
            "lamp", "contest", "off", "off", "lamp.contested"
        )
    else:
        (no,) = refusal("contest", facts, AGENCY, note="no").reasons
        assert (no.code, no.required, no.actual) == ("contestable_until", TODAY - timedelta(1), TODAY)


def test_uphold_answers_what_is_contested() -> None:
    contested = lamp("off", contested=True)
    assert LAMP.decide("uphold", contested, actor(COORDINATOR), {"note": "so it was"}) == Step(
        "lamp", "uphold", "off", "off", "lamp.upheld"
    )
    assert [r.code for r in refusal("uphold", contested, ADMIN, note="-").reasons] == ["role"]
    assert [r.code for r in refusal("uphold", lamp("off"), COORDINATOR, note="-").reasons] == ["contested"]
    assert [r.code for r in refusal("uphold", contested, COORDINATOR).reasons] == ["input_required"]
