"""When what a pack asks for is needed, what two versions of it differ in, and what the new one would mean for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.domain.requirements import (
    LINE,
    AnyTest,
    Due,
    Evidence,
    NoPack,
    Obligation,
    OnTheWay,
    Outcome,
    Pack,
    Packs,
    Requirement,
    RequirementFacts,
    Source,
    Transition,
    Unmet,
    add_months,
    day_of_stage,
    difference,
    due_on,
    from_day,
    good_from,
    moved,
    outcome,
    ways_out,
)
from service.domain.requirements.model import FactAmong, TestAlternative, Validity

DAY = timedelta(days=1)
TODAY, FLIGHT, START, END = date(2026, 11, 22), date(2027, 3, 1), date(2027, 3, 8), date(2029, 3, 7)
SOURCE = Source("a test", None, None, "unverified", "a@1")
FACTS = RequirementFacts(
    nationality="CN", destination="JP", planned_departure_on=FLIGHT, starts_on=START, ends_on=END,
    evidence={"paper": Evidence(state="accepted", issued_on=TODAY)},
)  # fmt: skip


def row(key: str = "paper", needed_before: str = "visa", **more: Any) -> Requirement:
    usual: dict[str, Any] = {
        "title": key, "kind": "document", "subject": "placement", "providers": ("trainee",), "source": SOURCE,
        "item": key,
    }  # fmt: skip
    return Requirement(key=key, needed_before=needed_before, **(usual | more))


def duty(key: str, days: int) -> Obligation:
    return Obligation(key=key, title=key, event="arrived", due=Due(days, "days"), providers=("school",), source=SOURCE)


def pack(version: int, *rows: Requirement, **more: Any) -> Pack:
    usual: dict[str, Any] = {
        "key": "a", "title": "A", "kind": "pathway", "valid_from": date(2026, 1, 1), "valid_to": None,
        "destinations": ("JP",), "pathway": "work",
        "stages": ("contracting", "documents", "visa", "departed", "arrived", "active"),
    }  # fmt: skip
    return Pack(version=version, requirements=rows, **(usual | more))


# ---- by when
@pytest.mark.parametrize(
    ("stages", "day"),
    [
        (("request_approved", "nominated", "selected", "contracting", *LINE[: LINE.index("active")]), FLIGHT),
        (("active",), START),
        (("extension",), END),
        (("transfer", "enrolled", "stage_advanced", "programme_completed", "always"), None),
    ],
)
def test_stage_has_the_planned_day_of_itself_or_of_the_next(stages: tuple[str, ...], day: date | None) -> None:
    assert {day_of_stage(s, FACTS) for s in stages} == {day}
    assert {day_of_stage(s, RequirementFacts()) for s in stages} == {None}


def test_stage_before_leaving_is_by_the_start_where_nobody_flies() -> None:
    assert day_of_stage("documents", replace(FACTS, planned_departure_on=None)) == START


def test_item_is_due_on_the_first_day_on_which_a_row_is_judged() -> None:
    assert (
        due_on([row(needed_before="active"), row(needed_before="visa"), row(needed_before="transfer")], FACTS) == FLIGHT
    )
    assert due_on([row(needed_before="extension"), row(needed_before="active")], FACTS) == START
    assert due_on([row(needed_before="transfer")], FACTS) is None


@pytest.mark.parametrize(
    ("validity", "first"),
    [
        ((), None),
        ((Validity("covers", 6),), None),
        ((Validity("starts_by"),), None),
        ((Validity("days_from_issue", 90),), FLIGHT - 90 * DAY),
        ((Validity("months_from_issue", 3),), date(2026, 12, 1)),
        ((Validity("days_from_issue", 90, "starts_on"),), START - 90 * DAY),
        ((Validity("days_from_issue", 90), Validity("days_from_issue", 30), Validity("days_from_issue", 60)), FLIGHT - 30 * DAY),
    ],
)  # fmt: skip
def test_item_is_issued_so_late_that_it_is_good_on_every_day(
    validity: tuple[Validity, ...], first: date | None
) -> None:
    assert good_from([row(validity=validity)], FACTS) == first
    assert good_from([row(validity=validity, needed_before="transfer")], FACTS) is None
    assert good_from([row(validity=validity, needed_before="transfer"), row(validity=validity)], FACTS) == first


def test_item_that_is_judged_on_a_day_that_is_not_planned_may_be_of_any() -> None:
    judged = row(validity=(Validity("days_from_issue", 90, "ends_on"),))
    assert good_from([judged], replace(FACTS, ends_on=None)) is None
    assert good_from([judged], FACTS) == END - 90 * DAY


@pytest.mark.parametrize("flight", [date(2027, 5, 31), date(2028, 2, 29), date(2027, 5, 1), date(2027, 8, 15)])
def test_item_of_so_many_months_is_good_from_its_first_day_and_not_before(flight: date) -> None:
    facts = replace(FACTS, planned_departure_on=flight)
    first = good_from([row(validity=(Validity("months_from_issue", 3),))], facts)
    assert first is not None
    assert add_months(first, 3) >= flight > add_months(first - DAY, 3)


# ---- what differs
def test_difference_names_rows_and_fields() -> None:
    before = pack(
        1, row("kept"), row("gone"), row("moved"), row("twin"), obligations=(duty("notice", 14), duty("twin", 1)),
        note="old", terms=("housing",),
    )  # fmt: skip
    after = pack(
        2, row("came"), row("moved", "departed", note="later"), row("kept"), row("twin"), obligations=(duty("notice", 7), duty("twin", 1)),
        note="new", valid_to=END, terms=("housing",),
    )  # fmt: skip
    found = difference(before, after)
    assert found.pack == ("valid_to", "note")
    assert [r.key for r in found.added] == ["came"]
    assert [r.key for r in found.dropped] == ["gone"]
    assert [(c.before, c.after, c.fields) for c in found.changed] == [
        (row("moved"), row("moved", "departed", note="later"), ("needed_before", "note")),
        (duty("notice", 14), duty("notice", 7), ("due",)),
    ]
    assert found.same == ("kept", "twin", "twin")
    assert found.touched == {"came", "gone", "moved"}


def test_difference_tells_a_requirement_from_an_obligation_of_its_name() -> None:
    found = difference(pack(1, row("notice")), pack(2, obligations=(duty("notice", 7),)))
    assert (found.added, found.dropped, found.changed, found.same) == ((duty("notice", 7),), (row("notice"),), (), ())
    assert found.touched == {"notice"}
    same = difference(pack(1, row()), pack(2, row()))
    assert (same.pack, same.touched, same.same) == ((), frozenset(), ("paper",))


def test_version_is_not_in_force_before_its_own_first_day() -> None:
    new = pack(2)
    assert from_day(new, FLIGHT) == replace(new, valid_from=FLIGHT)
    assert from_day(new, date(2025, 1, 1)) == new


# ---- what it means for whom
OLD = pack(1, row())
LATE = row(validity=(Validity("days_from_issue", 30),))


def going(kind: str = "placement", ahead: tuple[str, ...] = ("documents", "visa", "departed"), **more: Any) -> OnTheWay:
    usual: dict[str, Any] = {
        "id": UUID(int=1), "person_id": UUID(int=2), "state": "contracting", "pathway": "work", "packs": Packs(OLD),
        "facts": FACTS, "today": TODAY,
    }  # fmt: skip
    return OnTheWay(kind=kind, ahead=ahead, **(usual | more))


def closed(who: OnTheWay, new: Pack, touched: frozenset[str] | None = None) -> list[tuple[str, date, list[str]]]:
    found = outcome(who, [OLD, new], touched)
    assert isinstance(found, Outcome)
    assert found.packs == Packs(new)
    return [(b.stage, b.on, [u.code for u in b.rows]) for b in found.blocked]


def test_gate_that_the_new_version_would_close_is_told_with_its_day() -> None:
    assert closed(going(), pack(2, row(), row("insurance", "departed"))) == [
        ("departed", FLIGHT, ["requirement_missing"])
    ]
    assert closed(going(), pack(2, LATE)) == [("visa", FLIGHT, ["requirement_too_old"])]
    assert closed(going(), pack(2, row())) == []


def test_gate_that_is_closed_already_for_the_same_reason_is_not_told() -> None:
    bare = going(facts=replace(FACTS, evidence={}))
    assert closed(bare, pack(2, LATE)) == []
    assert closed(bare, pack(2, row(), row("insurance"))) == [("visa", FLIGHT, ["requirement_missing"])]
    supplied = going(
        facts=replace(FACTS, evidence={"paper": Evidence(state="accepted", issued_on=TODAY, valid_until=TODAY)})
    )
    covering = row(validity=(Validity("covers"),))
    assert closed(supplied, pack(2, covering)) == []  # what states that it is over is over by either version


def test_rows_that_were_not_touched_are_not_looked_at() -> None:
    new = pack(2, LATE, row("insurance", "departed"))
    assert closed(going(), new, frozenset({"insurance"})) == [("departed", FLIGHT, ["requirement_missing"])]
    assert closed(going(), new, frozenset({"paper"})) == [("visa", FLIGHT, ["requirement_too_old"])]
    assert closed(going(), new, frozenset()) == []


def test_placement_passes_the_stages_of_the_new_pack_and_a_candidacy_its_own() -> None:
    more = (row("a", "documents"), row("b", "visa"), row("c", "nominated"))
    shorter = pack(2, row(), *more, stages=("contracting", "visa", "documents", "active"))
    told = [("visa", FLIGHT, ["requirement_missing"]), ("documents", FLIGHT, ["requirement_missing"])]
    assert closed(going(), shorter) == told
    assert closed(going("candidacy", ("nominated", "documents")), shorter) == [
        ("nominated", FLIGHT, ["requirement_missing"]),
        ("documents", FLIGHT, ["requirement_missing"]),
    ]


def test_gate_whose_day_is_behind_or_not_planned_is_judged_today() -> None:
    asked = pack(2, row(), row("transfer", "transfer"), row("visa"))
    late = going(today=FLIGHT + DAY, ahead=("visa", "transfer"), kind="candidacy")
    told = closed(late, asked)
    assert [(stage, on) for stage, on, _ in told] == [("visa", FLIGHT + DAY), ("transfer", FLIGHT + DAY)]


@pytest.mark.parametrize(
    "lacking", [{"nationality": None}, {"destination": None}, {"planned_departure_on": None, "starts_on": None}]
)
def test_nothing_is_told_of_whom_no_pack_can_be_chosen_for(lacking: dict[str, Any]) -> None:
    assert outcome(going(facts=replace(FACTS, **lacking)), [pack(2, LATE)]) is None


def test_nothing_is_told_of_whom_the_new_version_does_not_hold_for() -> None:
    assert outcome(going(), [OLD, pack(2, LATE, valid_from=FLIGHT + DAY)]) is None
    assert outcome(going(), [OLD, pack(2, LATE, valid_from=FLIGHT)]) is not None


def test_whoever_would_have_no_pack_is_told_so() -> None:
    found = outcome(going(), [pack(2, LATE, destinations=("DE",))])
    assert found == Outcome(NoPack("destination_not_served", [["DE"]], "JP"), ())


# ---- whoever is on the way is moved, or stays
def rule(name: Any, on: date | None = None) -> Transition:
    return Transition(name, on, SOURCE)


def shifted(
    *library: Pack, today: date = TODAY, state: str | None = "contracting", packs: Packs | None = None
) -> Packs:
    return moved(
        packs or Packs(OLD), library, nationality="CN", destination="JP", planned_on=FLIGHT, today=today, state=state
    )


def test_version_that_moves_takes_whoever_is_under_an_older_one_from_its_day_on() -> None:
    new = pack(2, LATE, transition=rule("move", TODAY))
    assert [shifted(OLD, new, today=TODAY + n * DAY) for n in (-1, 0, 1)] == [Packs(OLD), Packs(new), Packs(new)]
    at_once = replace(new, transition=rule("move"))
    assert shifted(OLD, at_once, today=TODAY - 99 * DAY) == Packs(at_once)
    third = replace(at_once, version=3)
    assert shifted(third, OLD, at_once) == Packs(third)
    assert shifted(at_once, packs=Packs(third)) == Packs(third)  # nobody goes back
    over = pack(1, key="b", kind="overlay", stages=())
    newer = replace(over, version=2, transition=rule("move"))
    assert shifted(newer, packs=Packs(OLD, (over,))) == Packs(OLD, (newer,))


@pytest.mark.parametrize(
    "more",
    [
        {"transition": None},
        {"transition": rule("stay")},
        {"key": "another"},
        {"valid_from": FLIGHT + DAY},
        {"valid_to": FLIGHT - DAY},
        {"destinations": ("DE",)},
        {"nationalities": ("TH",)},
        {"host_country_nationals": True},
        {"stages": ("visa", "active")},
    ],
)
def test_version_moves_nobody_whom_it_is_not_for(more: dict[str, Any]) -> None:
    new = pack(2, LATE, transition=rule("move"))
    assert shifted(new) == Packs(new)
    assert shifted(replace(new, **more)) == Packs(OLD)


def test_candidacy_is_moved_whatever_the_stages() -> None:
    new = pack(2, LATE, transition=rule("move"), stages=("visa", "active"))
    assert shifted(new, state=None) == Packs(new)


def test_rehearsal_tells_who_would_be_moved_and_when() -> None:
    new = pack(2, LATE, transition=rule("move", TODAY + 9 * DAY))
    found = outcome(going(), [OLD, new], transition=new.transition)
    assert found is not None
    assert (found.packs, found.moves_on) == (Packs(new), TODAY + 9 * DAY)
    assert [b.stage for b in found.blocked] == ["visa"]
    past = replace(new, transition=rule("move", TODAY - DAY))
    again = outcome(going(), [OLD, past], transition=past.transition)
    assert again is not None
    assert again.moves_on == TODAY
    stays = replace(new, transition=rule("stay"))
    assert outcome(going(), [OLD, stays], transition=stays.transition) is None
    unpinned = outcome(going("candidacy", pinned=False), [OLD, stays], transition=stays.transition)
    assert unpinned is not None
    assert (unpinned.packs, unpinned.moves_on) == (Packs(stays), None)


# ---- the ways out
def found_by(key: str) -> Unmet:
    return Unmet(key, "requirement_missing", None, None, ("trainee",), (SOURCE,), "unverified")


def test_ways_out_are_evidence_what_serves_instead_a_test_and_a_waiver() -> None:
    tests = AnyTest((TestAlternative("jlpt", ("N4", "N3")), TestAlternative("jft_basic", min_score=200)))
    packs = Packs(
        pack(1, row(instead=("diploma", "licence"), waivable_by=("coordinator", "admin")), row("language", asks=tests)),
        (pack(1, row(), row("language", asks=FactAmong("field", ("care",)), instead=("diploma",)), key="b"),),
    )
    assert ways_out(found_by("paper"), packs) == [
        {"hand_in": "paper"}, {"hand_in": "diploma"}, {"hand_in": "licence"}, {"waive": ["coordinator", "admin"]},
    ]  # fmt: skip
    assert ways_out(found_by("language"), packs) == [
        {"pass_test": "jlpt", "levels": ["N4", "N3"], "min_score": None},
        {"pass_test": "jft_basic", "levels": [], "min_score": 200},
        {"hand_in": "diploma"},
    ]
    assert ways_out(found_by("nothing"), packs) == []
