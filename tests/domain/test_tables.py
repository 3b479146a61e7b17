"""Every lifecycle's table, whole: states, ways out, names, words, and each row for each role."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from importlib.resources import files
from typing import Any
from uuid import uuid4

import pytest

from service.api.messages import LANGUAGES, catalogue
from service.domain.actors import COORDINATOR, RECORDABLE, SYSTEM, Actor, Role
from service.domain.lifecycle import (
    KERNEL_ACTIONS,
    NEW,
    VOIDED,
    Dossier,
    Lifecycle,
    _standing,
    allowed,
)
from service.storage.schema import LIFECYCLES
from tests.tables import dead_ends, finals, forward, reachable

TABLES = {lifecycle.name: lifecycle for lifecycle, _ in LIFECYCLES.values()}
TODAY = date(2026, 11, 22)
WORD = re.compile(r"[a-z]+(_[a-z]+)*")
LABELS = {
    r["code"]: r for r in json.loads((files("service.data") / "codes" / "reasons.json").read_text("utf-8"))["codes"]
}
BY_CONSEQUENCE = {"candidacy": {"accepted", "placed"}, "application": {"selected"}, "enrolment": {"completed"}}
"""States that people leave by what they do to something else: the placement that came of a candidacy, or the import by
which somebody came in mid-way."""


@pytest.fixture(params=TABLES)
def table(request: pytest.FixtureRequest) -> Lifecycle[Any]:
    return TABLES[request.param]


def test_tables_are_one_for_each_name() -> None:
    assert sorted(TABLES) == sorted(lc.name for lc, _ in LIFECYCLES.values())


# ---- states
def test_table_reaches_every_state_from_a_birth(table: Lifecycle[Any]) -> None:
    unreached = set(table.states()) - reachable(table, NEW) - {VOIDED}
    assert unreached == set()


def test_table_has_no_dead_end_but_its_final_states(table: Lifecycle[Any]) -> None:
    assert finals(table)
    assert dead_ends(table) == set()


def test_table_opens_a_way_out_to_a_person(table: Lifecycle[Any]) -> None:
    """Out of every state that is not final somebody can step, not the clock alone."""
    open_to_people = {a for r in table.rules for a in r.sources if set(r.who) - {SYSTEM} and set(r.targets) - {a}}
    assert set(table.states()) - finals(table) - open_to_people == BY_CONSEQUENCE.get(table.name, set())


def test_table_lets_nothing_leave_a_voided_thing(table: Lifecycle[Any]) -> None:
    assert reachable(table, VOIDED) == {VOIDED}


def test_table_has_one_row_for_an_action_in_a_state(table: Lifecycle[Any]) -> None:
    seen = Counter((r.action, s) for r in table.rules for s in r.sources)
    assert [pair for pair, n in seen.items() if n > 1] == []


def test_table_chooses_between_states_only_where_it_has_several(table: Lifecycle[Any]) -> None:
    assert [r.action for r in table.rules if len(r.targets) > 1 and r.which is None] == []
    assert [r.action for r in table.rules if len(set(r.targets)) < len(r.targets)] == []


def test_table_corrects_only_along_edges_that_are_drawn(table: Lifecycle[Any]) -> None:
    back = {
        (b, a or VOIDED)
        for r in table.rules
        if table.correctable and r.undo is not False
        for a in r.sources
        for b in r.targets
    }
    assert set(table.edges()) == forward(table) | back


# ---- names and words
def test_table_names_are_words(table: Lifecycle[Any]) -> None:
    names = [*table.by_action, *table.states(), *(t.name for r in table.rules for t in r.takes)]
    assert [n for n in names if not WORD.fullmatch(n)] == []
    assert set(table.by_action).isdisjoint(KERNEL_ACTIONS)


def test_table_events_are_the_tables_own(table: Lifecycle[Any]) -> None:
    events = {r.event for r in table.rules}
    assert [e for e in events if e.partition(".")[0] != table.name or not WORD.fullmatch(e.partition(".")[2])] == []
    assert events.isdisjoint({f"{table.name}.{n}" for n in ("corrected", "contested", "upheld")})


def test_table_gives_each_action_one_event(table: Lifecycle[Any]) -> None:
    for action, rules in table.by_action.items():
        assert len({r.event for r in rules}) == 1, action


def test_table_tells_an_event_by_one_action_save_for_a_consequence(table: Lifecycle[Any]) -> None:
    """Two actions leave the same event only where the clock or another step does what a person may do too."""
    actions: dict[str, set[str]] = {}
    for r in table.rules:
        if set(r.who) != {SYSTEM}:
            actions.setdefault(r.event, set()).add(r.action)
    shared = {e: a for e, a in actions.items() if len(a) > 1}
    allowed_for = {"requirement_item.waived": {"waive", "let_go"}}
    assert shared == {e: a for e, a in allowed_for.items() if e.startswith(f"{table.name}.")}


def test_table_is_drawn_whole(table: Lifecycle[Any]) -> None:
    lines = table.mermaid().splitlines()
    assert lines[0] == "stateDiagram-v2"
    drawn = {tuple(line.split(":")[0].split(" --> ")) for line in map(str.strip, lines[1:])}
    edges = {(a or "[*]", b) for a, b in forward(table)}
    unleft = {s for s in table.states() if s != VOIDED and s not in {a for a, _ in forward(table)}}
    assert drawn == edges | {(s, "[*]") for s in unleft}
    for action in table.by_action:
        assert any(action in line.partition(": ")[2].split(" / ") for line in lines), action


@pytest.mark.parametrize("language", LANGUAGES)
def test_table_has_words_for_its_actions_and_states(table: Lifecycle[Any], language: str) -> None:
    known = catalogue(language)
    asked = {f"action.{a}" for a in table.by_action if set_of(table, a) != {SYSTEM}}
    asked |= {f"state.{s}" for s in table.states()} | {f"action.{a}" for a in KERNEL_ACTIONS}
    assert sorted(code for code in asked if not known.get(code)) == []


def set_of(table: Lifecycle[Any], action: str) -> set[Role]:
    """Whoever may ever do it."""
    return {w for r in table.by_action[action] for w in r.who}


def test_table_labels_every_reason_that_it_asks_for(table: Lifecycle[Any]) -> None:
    coded = [t for r in table.rules for t in r.takes if t.name == "reason_code"]
    assert [c for t in coded for c in t.choices if not (LABELS[c]["en"] and LABELS[c]["zh"])] == []
    assert [r.action for r in table.rules if len([t for t in r.takes if t.name == "reason_code"]) > 1] == []


# ---- rows and roles
def test_rows_are_somebodys(table: Lifecycle[Any]) -> None:
    for rule in table.rules:
        assert rule.who, rule.action
        assert rule.sources, rule.action
        assert len(set(rule.who)) == len(rule.who), rule.action
        assert set(rule.sources) <= {NEW, *table.states()}, rule.action


def may(who: set[Role], role: Role) -> bool:
    """By own right, or a coordinator for a party whose step can be recorded."""
    return role in who or (role is COORDINATOR and not RECORDABLE.isdisjoint(who))


@pytest.mark.parametrize("role", Role)
def test_rows_are_open_to_whom_they_name_and_to_nobody_else(table: Lifecycle[Any], role: Role) -> None:
    for rule in table.rules:
        assert allowed(actor(role), set(rule.who)) is may(set(rule.who), role), rule.action


@pytest.mark.parametrize("role", Role)
def test_rows_ask_for_evidence_and_a_party_as_they_say(table: Lifecycle[Any], role: Role) -> None:
    """By own right nothing more than the row asks for; recorded for another, the party and what shows it."""
    shown = {"evidence": (uuid4(),)}
    for rule in table.rules:
        who = set(rule.who)
        bare, own = _standing(rule.who, actor(role), {}, evidence=rule.evidence), role in who
        if own:
            assert [r.code for r in bare[0]] == (["evidence_required"] if rule.evidence and role is not SYSTEM else [])
            assert _standing(rule.who, actor(role), shown, evidence=rule.evidence) == ([], None)
        else:
            assert [r.code for r in bare[0]] == ["recorded_for_required" if may(who, role) else "role"]
        for party in Role:
            reasons, recorded = _standing(rule.who, actor(role), {**shown, "recorded_for": party}, evidence=False)
            granted = role is COORDINATOR and party in who & RECORDABLE
            assert (not reasons, recorded) == (granted, party if granted else None), (rule.action, party)


@pytest.mark.parametrize("role", Role)
def test_rows_hold_in_their_states_alone(table: Lifecycle[Any], role: Role) -> None:
    """From any other state the refusal names the state, and the role where it never may."""
    for action in table.by_action:
        sources = {s for r in table.by_action[action] for s in r.sources}
        expected = ([] if may(set_of(table, action), role) else ["role"]) + ["not_from_this_state"]
        for state in {NEW, *table.states()} - sources:
            reasons, step = table._weigh(action, Dossier(state=state, today=TODAY), actor(role), {})
            assert ([r.code for r in reasons], step) == (expected, None), (action, state)


def actor(role: Role) -> Actor:
    return Actor(uuid4(), frozenset({role}))
