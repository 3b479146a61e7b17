"""What a placement's steps ask for, each rule on both sides of its day: travel, the plan, work, and another pathway."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from service.domain.gates import turning_days
from service.domain.lifecycle import LastStep, Reason
from service.domain.placements import (
    PlacementDossier,
    arrives_after_leaving,
    change_of,
    contract_ended,
    departs,
    extended,
    extension_met,
    extension_open,
    found_where,
    gate_open,
    is_next_stage_of_pack,
    lacking,
    last_open_day,
    leaves_inside,
    long_unknown,
    months_until,
    nobody_transferring,
    nothing_given_back,
    pathway_fits,
    plan_in_order,
    planned_inside,
    stage_kept,
    stays_at_home,
    window_of,
    window_open,
    windows_in_order,
)
from service.domain.requirements import GATES, Evidence, Pack, Packs, Requirement, RequirementFacts, Source
from service.domain.requirements.choosing import NoPack
from service.domain.requirements.model import FactAmong, FactAtMost, Validity

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
SOURCE = Source("a test", None, None, "unverified", "a@1")
STAGES = ("contracting", "documents", "visa", "departed", "arrived", "active")


def row(key: str = "paper", needed_before: str = "visa", **more: Any) -> Requirement:
    usual: dict[str, Any] = {
        "title": key, "kind": "document", "subject": "placement", "providers": ("trainee",), "source": SOURCE,
        "item": key,
    }  # fmt: skip
    return Requirement(key=key, needed_before=needed_before, **(usual | more))


def pack(*rows: Requirement, version: int = 1, **more: Any) -> Pack:
    usual: dict[str, Any] = {
        "key": "a", "title": "A", "kind": "pathway", "valid_from": date(2026, 1, 1), "valid_to": None,
        "pathway": "work", "stages": STAGES,
    }  # fmt: skip
    return Pack(version=version, requirements=rows, **(usual | more))


def placement(
    *rows: Requirement, state: str = "documents", facts: dict[str, Any] | None = None, **more: Any
) -> PlacementDossier:
    known: dict[str, Any] = {
        "nationality": "CN", "destination": "JP", "planned_departure_on": TODAY + 10 * DAY,
        "starts_on": TODAY + 20 * DAY, "ends_on": TODAY + 700 * DAY,
    }  # fmt: skip
    usual: dict[str, Any] = {
        "today": TODAY, "since_on": TODAY - 9 * DAY, "packs": Packs(pack(*rows)), "stages": STAGES, "pathway": "work",
        "departs": True, "library": (pack(*rows),),
    }  # fmt: skip
    return PlacementDossier(state=state, facts=RequirementFacts(**(known | (facts or {}))), **(usual | more))


def held(**dates: Any) -> dict[str, Any]:
    return {"evidence": {"paper": Evidence(**({"state": "accepted"} | dates))}}


# ---- travel
@pytest.mark.parametrize(
    ("window", "granted"),
    [
        ((None, None), True),
        ((TODAY + DAY, None), True),
        ((None, TODAY - 9 * DAY), True),
        ((None, TODAY - 10 * DAY), False),
        ((TODAY, TODAY), True),
        ((TODAY + DAY, TODAY), False),
    ],
)
def test_window_leaves_a_day_to_travel(window: tuple[date | None, date | None], *, granted: bool) -> None:
    first, last = window
    p = placement(visa_from_on=first, visa_until_on=last)
    assert window_open(p) == (
        None if granted else Reason("window_open", required={"least": first, "most": last}, actual=TODAY)
    )
    undated = replace(p, since_on=None)
    assert (window_open(undated) is None) is (last is None or first is None or first <= last)


@pytest.mark.parametrize(
    ("days", "window"),
    [
        ((None, None, None, None), (None, None)),
        ((1, None, None, None), (1, None)),
        ((1, 2, 8, 9), (2, 8)),
        ((2, 1, 9, 8), (2, 8)),
        ((None, None, 9, None), (None, 9)),
    ],
)
def test_window_is_inside_the_authorisation_and_the_visa(
    days: tuple[int | None, ...], window: tuple[int | None, ...]
) -> None:
    a, b, c, d, *_ = (None if n is None else TODAY + n * DAY for n in days)
    p = placement(authorisation_from_on=a, visa_from_on=b, authorisation_until_on=c, visa_until_on=d)
    assert p.window == tuple(None if n is None else TODAY + n * DAY for n in window)


@pytest.mark.parametrize(("on", "inside"), [(4, False), (5, True), (8, True), (9, False)])
def test_leaving_and_the_plan_lie_inside_the_window(on: int, *, inside: bool) -> None:
    day = TODAY + on * DAY
    window: dict[str, Any] = {"visa_from_on": TODAY + 5 * DAY, "visa_until_on": TODAY + 8 * DAY}
    p = placement(facts={"planned_departure_on": day}, **window)
    assert (leaves_inside(replace(p, today=day), {}) is None) is inside
    assert (leaves_inside(p, {"occurred_on": day}) is None) is inside
    assert (planned_inside(p, {}) is None) is inside
    assert planned_inside(p, {"leaves_on": day}) is None
    halves: tuple[dict[str, Any], ...] = ({"visa_from_on": None}, {"visa_until_on": None})
    for open_ in halves:
        half = replace(p, **open_)
        assert (planned_inside(half, {}) is None) is (on <= 8 if "visa_from_on" in open_ else on >= 5)
        assert (leaves_inside(half, {"occurred_on": day}) is None) is (planned_inside(half, {}) is None)
    assert planned_inside(placement(facts={"planned_departure_on": None}, **window), {}) is None


def test_nobody_arrives_before_they_left() -> None:
    p = placement()
    for given in ({"leaves_on": TODAY}, {"occurred_on": TODAY}, {"leaves_on": TODAY, "occurred_on": TODAY + 2 * DAY}):
        assert arrives_after_leaving(p, {**given, "arrives_on": TODAY}) is None
        assert arrives_after_leaving(p, {**given, "arrives_on": TODAY - DAY}) is not None
    planned = {"arrives_on": TODAY + 9 * DAY}
    assert arrives_after_leaving(p, planned) is not None
    assert arrives_after_leaving(p, {"arrives_on": TODAY + 10 * DAY}) is None
    assert arrives_after_leaving(p, {}) is None
    assert arrives_after_leaving(placement(facts={"planned_departure_on": None}), planned) is None


MONTHS = (Validity("months_from_issue", 3),)


@pytest.mark.parametrize(
    ("asked", "evidence", "window"),
    [
        (row(validity=MONTHS), {"issued_on": TODAY}, (None, date(2027, 2, 22))),
        (row(validity=MONTHS), {"issued_on": TODAY, "valid_from": TODAY + DAY}, (TODAY + DAY, date(2027, 2, 22))),
        (row(validity=MONTHS), {"issued_on": TODAY, "valid_until": TODAY + 9 * DAY}, (None, TODAY + 9 * DAY)),
        (row(validity=MONTHS), {"issued_on": TODAY, "state": "supplied"}, (None, None)),
        (row(validity=(Validity("days_from_issue", 9),)), {"issued_on": TODAY}, (None, TODAY + 9 * DAY)),
        (row(validity=(Validity("covers", 6),)), {"valid_until": TODAY + 400 * DAY}, (None, TODAY + 400 * DAY)),
        (row(validity=(Validity("starts_by"),)), {"valid_until": TODAY}, (None, None)),
        (row(), {"valid_until": TODAY}, (None, None)),
        (row("visa", item="visa"), {"valid_until": TODAY}, (None, None)),
        (row(validity=MONTHS, subject="person"), {"issued_on": TODAY}, (None, None)),
        (row(validity=MONTHS, needed_before="departed"), {"issued_on": TODAY}, (None, None)),
        (row(validity=MONTHS, asks=FactAmong("field", ("care",))), {"issued_on": TODAY}, (None, None)),
    ],
)  # fmt: skip
def test_window_of_a_gate_is_that_of_what_was_granted_for_it(
    asked: Requirement, evidence: dict[str, Any], window: tuple[date | None, date | None]
) -> None:
    p = placement(asked, facts=held(**evidence))
    assert window_of(p, "apply_visa") == window
    assert window_of(replace(p, packs=None), "apply_visa") == (None, None)


def test_window_of_a_visa_is_what_it_states() -> None:
    visa = {"evidence": {"visa": Evidence(state="accepted", valid_from=TODAY, valid_until=TODAY + 9 * DAY)}}
    p = placement(row("visa", "departed"), facts=visa)
    assert window_of(p, "depart") == (TODAY, TODAY + 9 * DAY)


@pytest.mark.parametrize("kind", ["authorisation", "visa"])
def test_window_that_is_stated_begins_before_it_ends(kind: str) -> None:
    first, last = f"{kind}_from_on", f"{kind}_until_on"
    assert list(windows_in_order(placement(), {first: TODAY, last: TODAY})) == []
    assert [r.pointer for r in windows_in_order(placement(), {first: TODAY, last: TODAY - DAY})] == [f"/{last}"]
    for one in ({first: TODAY}, {last: TODAY}):
        assert list(windows_in_order(placement(), one)) == []


@pytest.mark.parametrize(
    ("facts", "given", "pointers"),
    [
        ({}, {}, []),
        ({}, {"planned_departure_on": TODAY + 20 * DAY}, []),
        ({}, {"planned_departure_on": TODAY + 21 * DAY}, ["/starts_on"]),
        ({}, {"starts_on": TODAY + 700 * DAY}, []),
        ({}, {"starts_on": TODAY + 701 * DAY}, ["/ends_on"]),
        ({}, {"ends_on": TODAY + 19 * DAY}, ["/ends_on"]),
        ({"starts_on": None}, {"ends_on": TODAY + 9 * DAY}, ["/ends_on"]),
        ({"starts_on": None, "ends_on": None}, {}, []),
    ],
)  # fmt: skip
def test_plan_keeps_its_order(facts: dict[str, Any], given: dict[str, Any], pointers: list[str]) -> None:
    assert [r.pointer for r in plan_in_order(placement(facts=facts), given)] == pointers


# ---- gates
def test_stage_is_the_next_of_the_pack_and_its_gate_is_judged_only_then() -> None:
    p = placement(row(), row("later", "departed"))
    assert is_next_stage_of_pack("visa")(p) is None
    assert is_next_stage_of_pack("departed")(p) == Reason("is_next_stage_of_pack", required="visa", actual="departed")
    (missing,) = lacking(p, GATES["visa"], TODAY)
    assert gate_open("apply_visa", "visa")(p) == [missing]
    assert missing.pointer == "requirement/paper"
    assert gate_open("depart", "departed")(p) == []
    assert gate_open("depart")(p) != []


def test_gate_stood_open_last_on_the_latest_day_since_the_step_on_which_nothing_was_lacking() -> None:
    """One row must be met from five days ago on, one had to be until seven days ago, and what is held ends three ago."""
    asked, ended = row("asked", effective_from=TODAY - 5 * DAY), row("ended", effective_to=TODAY - 7 * DAY)
    facts = held(valid_until=TODAY - 3 * DAY)
    facts["evidence"]["ended"] = Evidence(state="accepted")

    def last(*rows: Requirement, since: int = 9) -> int | None:
        found = last_open_day(placement(*rows, facts=facts, since_on=TODAY - since * DAY), GATES["visa"])
        return None if found is None else (TODAY - found).days

    assert [last(), last(row()), last(row(), ended), last(row(), asked)] == [0, 3, 3, 6]
    assert [last(row(), asked, since=n) for n in (7, 6, 5)] == [6, 6, None]
    assert [last(row(), since=n) for n in (3, 2)] == [3, None]


def test_pack_must_last_to_the_planned_day_until_somebody_left() -> None:
    ending = pack(valid_to=TODAY + 9 * DAY)
    for state, found in (("documents", ["pack_ended"]), ("departed", []), ("active", [])):
        p = placement(state=state, packs=Packs(ending))
        assert [r.code for r in lacking(p, GATES["visa"], TODAY)] == found
        unplanned = replace(p, facts=replace(p.facts, planned_departure_on=None, starts_on=None))
        assert lacking(unplanned, GATES["visa"], TODAY) == []
        sooner = replace(p.facts, planned_departure_on=TODAY + 9 * DAY)
        assert lacking(p, GATES["visa"], TODAY, sooner) == []


def test_gate_turns_with_the_passport_for_rows_that_judge_it_alone() -> None:
    fact = row("passport", kind="fact", validity=(Validity("covers", 6), Validity("covers", 1)))
    paper = row(validity=(Validity("covers", 6),))
    known = RequirementFacts(passport_expires_on=date(2027, 7, 31))
    assert list(turning_days([(fact, known)])) == [date(2027, 1, 31), date(2027, 6, 30)]
    assert list(turning_days([(paper, known), (fact, RequirementFacts())])) == []


# ---- at work
def test_only_who_was_sent_abroad_comes_home() -> None:
    home = placement(state="completed", departs=False)
    assert [departs(placement()), departs(home), stays_at_home(home)] == [None, Reason("departs", actual="work"), None]
    assert stays_at_home(replace(home, departs=True)) is not None
    assert stays_at_home(placement(state="returned")) is None


def test_contract_is_over_on_its_last_day() -> None:
    for ends, over in ((TODAY, True), (TODAY - DAY, True), (TODAY + DAY, False), (None, False)):
        assert (contract_ended(placement(facts={"ends_on": ends})) is None) is over


@pytest.mark.parametrize(
    ("start", "last", "months"),
    [
        (date(2026, 1, 1), date(2026, 1, 31), 1),
        (date(2026, 1, 1), date(2026, 2, 1), 2),
        (date(2026, 1, 15), date(2026, 2, 14), 1),
        (date(2026, 1, 15), date(2026, 2, 15), 2),
        (date(2025, 12, 1), date(2026, 11, 30), 12),
        (date(2026, 1, 31), date(2026, 2, 27), 1),
        (date(2026, 1, 1), date(2025, 12, 31), 0),
        (date(2026, 1, 1), date(2025, 6, 1), 0),
    ],
)
def test_months_are_those_that_have_begun(start: date, last: date, months: int) -> None:
    assert months_until(start, last) == months


def test_extension_is_judged_by_the_stay_with_the_time_asked_for() -> None:
    cap = row("cap", "extension", kind="fact", asks=FactAtMost("stay_months", 12))
    start = date(2026, 1, 1)
    p = placement(cap, state="extension_pending", facts={"starts_on": start}, extension_until_on=date(2026, 12, 31))
    assert extended(p, date(2026, 12, 31)) == replace(p.facts, ends_on=date(2026, 12, 31), stay_months=12)
    assert extended(p, None) == replace(p.facts, ends_on=None, stay_months=None)
    nowhere = replace(p, facts=replace(p.facts, starts_on=None))
    assert extended(nowhere, date(2026, 12, 31)).stay_months is None
    assert extension_open(p) == extension_met(p, {}) == []
    longer = {"ends_on": date(2027, 1, 1)}
    assert [r.code for r in extension_met(p, longer)] == ["limit_passed"]
    assert [r.code for r in extension_open(replace(p, extension_until_on=date(2027, 1, 1)))] == ["limit_passed"]
    later = replace(p, packs=Packs(pack(replace(cap, effective_from=TODAY))))
    assert extension_met(later, longer | {"occurred_on": TODAY - DAY}) == []
    assert [r.code for r in extension_met(later, longer)] == ["limit_passed"]


# ---- lost and found
def test_who_is_found_goes_back_to_work_or_home() -> None:
    outcomes = ("at_work", "returned", "elsewhere", "detained", "unknown")
    found = [found_where(placement(), {"outcome": o}) for o in outcomes]
    assert found == ["active", "returning", "closed", "closed", "closed"]


@pytest.mark.parametrize(
    ("facts", "outcome", "granted"),
    [
        ({"last_contact_on": TODAY - 180 * DAY}, "unknown", True),
        ({"last_contact_on": TODAY - 179 * DAY}, "unknown", False),
        ({"last_contact_on": TODAY - 179 * DAY}, "elsewhere", True),
        ({"since_on": TODAY - 180 * DAY}, "unknown", True),
        ({"since_on": TODAY - 179 * DAY}, "unknown", False),
        ({"last_contact_on": TODAY - 180 * DAY, "since_on": TODAY}, "unknown", True),
        ({"since_on": None}, "unknown", True),
    ],
)
def test_who_cannot_be_found_was_missing_for_half_a_year(facts: dict[str, Any], outcome: str, *, granted: bool) -> None:
    assert (long_unknown(placement(state="absconded", **facts), {"outcome": outcome}) is None) is granted


# ---- another pathway
def test_pathway_that_is_another_is_told_row_by_row() -> None:
    other = pack(
        row("kept", source=replace(SOURCE, pack="b@1")), row("came"), row("changed", "departed"), row("paper"),
        key="b", pathway="study_work",
    )  # fmt: skip
    p = placement(row("kept"), row("gone"), row("changed"), row("paper"), facts=held(), library=())
    p = replace(p, library=(*p.library, other))
    found = change_of(p, {"pathway": "study_work"})
    assert not isinstance(found, NoPack)
    assert (found.packs, found.facts) == (Packs(other), p.facts)
    assert (found.added, found.dropped, found.changed, found.still_good) == (
        ("came",),
        ("gone",),
        ("changed",),
        ("paper",),
    )
    days: dict[str, Any] = {
        "planned_departure_on": TODAY + DAY,
        "starts_on": TODAY + 2 * DAY,
        "ends_on": TODAY + 9 * DAY,
    }
    moved = change_of(p, {"pathway": "study_work"} | days)
    assert not isinstance(moved, NoPack)
    assert moved.facts == replace(p.facts, **days)
    nothing = change_of(replace(p, packs=None), {"pathway": "study_work"})
    assert not isinstance(nothing, NoPack)
    assert (len(nothing.added), nothing.dropped) == (4, ())


@pytest.mark.parametrize(
    "lacking", [{"nationality": None}, {"destination": None}, {"planned_departure_on": None, "starts_on": None}]
)
def test_pathway_needs_all_by_which_packs_are_chosen(lacking: dict[str, Any]) -> None:
    p = placement(facts=lacking)
    assert change_of(p, {"pathway": "work"}) == NoPack("input_required", "planned_departure_on")
    assert [(r.code, r.pointer) for r in pathway_fits(p, {"pathway": "work"})] == [("input_required", "/pathway")]
    assert stage_kept(p, {"pathway": "work"}) == "documents"


@pytest.mark.parametrize(
    ("rows", "state", "stage"),
    [
        ((), "visa", "visa"),
        ((), "documents", "documents"),
        ((), "contracting", "contracting"),
        ((row("x", "visa"),), "visa", "documents"),
        ((row("x", "documents"),), "visa", "contracting"),
        ((row("x", "documents", effective_from=TODAY + DAY),), "visa", "visa"),
    ],
)
def test_pathway_keeps_the_latest_stage_whose_gates_hold(rows: tuple[Requirement, ...], state: str, stage: str) -> None:
    p = placement(state=state, library=(pack(*rows, version=2),))
    assert stage_kept(p, {"pathway": "work"}) == stage
    assert pathway_fits(p, {"pathway": "work"}) == []
    skipped = replace(p, stages=("contracting", "visa", "departed", "active"))
    assert stage_kept(skipped, {"pathway": "work"}) == ("contracting" if stage == "documents" else stage)
    later = {"pathway": "work", "occurred_on": TODAY + DAY}
    assert stage_kept(p, later) == ("contracting" if rows and rows[0].needed_before == "documents" else stage)


def test_pathway_asks_of_its_first_stage_what_the_candidate_had_to_meet_and_keeps_the_stage() -> None:
    p = placement(state="visa", library=(pack(row("x", "contracting"), version=2),))
    assert stage_kept(p, {"pathway": "work"}) == "visa"
    assert [r.pointer for r in pathway_fits(p, {"pathway": "work"})] == ["requirement/x"]


def test_pathway_is_another_that_the_candidate_meets() -> None:
    p = placement(row())
    assert [(r.code, r.pointer) for r in pathway_fits(p, {"pathway": "work"})] == [("another_pathway", "/pathway")]
    assert pathway_fits(replace(p, packs=None), {"pathway": "work"}) == []
    for gate in ("nominated", "selected", "contracting"):
        asks = row("x", gate, effective_from=TODAY)
        newer = replace(p, library=(pack(asks, version=2),))
        assert [r.pointer for r in pathway_fits(newer, {"pathway": "work"})] == ["requirement/x"]
        assert pathway_fits(newer, {"pathway": "work", "occurred_on": TODAY - DAY}) == []


# ---- corrections
def test_what_was_given_back_is_not_called_back() -> None:
    assert nothing_given_back(placement()) is None
    for before, back in (("contracting", False), ("ready", False), ("departed", True), ("active", True)):
        died = placement(state="deceased", last_step=LastStep(3, "record_death", before, "deceased", TODAY))
        assert (nothing_given_back(died) is None) is back
    assert nobody_transferring(placement()) is None
