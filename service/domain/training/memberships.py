"""A membership: a place in a class, attempts at it, and its end, as a table."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from service.domain.actors import COORDINATOR, GUARDIAN, INSTRUCTOR, SYSTEM, TRAINEE
from service.domain.completion import unmet
from service.domain.lifecycle import NEW, VOIDED, Given, Lifecycle, Reason, Rule, Takes, because
from service.domain.training.facts import LIVE, TAKING, TEACHING, MembershipDossier, NewMembership

PEOPLE_AND_COORDINATOR = [COORDINATOR, TRAINEE, GUARDIAN]


def class_takes_people(m: NewMembership | MembershipDossier) -> Reason | None:
    """People join a class that is open or running."""
    if m.class_state is None:
        return Reason("class_known", pointer="/class_id")
    return None if m.class_state in TAKING else Reason("class_takes_people", required=TAKING, actual=m.class_state)


def place_free(m: NewMembership | MembershipDossier) -> Reason | None:
    """Whoever is registered or attends holds a place of the class."""
    if m.class_state is None or m.places_free > 0:
        return None
    return Reason("place_free", required=1, actual=m.places_free)


def not_a_member(m: NewMembership | MembershipDossier) -> Reason | None:
    """A person has one live membership of a class."""
    return Reason("not_a_member_yet") if m.already_member else None


def class_running(m: MembershipDossier) -> Reason | None:
    """Somebody attends a class that is running."""
    return None if m.class_state == "running" else Reason("class_running", required="running", actual=m.class_state)


def nothing_recorded(m: MembershipDossier) -> Reason | None:
    """Neither attendance nor marks stand on it."""
    there = m.attendance_marks + m.marks_in_attempt
    return Reason("nothing_recorded", required=0, actual=there) if there else None


def nothing_in_attempt(m: MembershipDossier) -> Reason | None:
    """No mark of this attempt stands on it."""
    return Reason("nothing_recorded", required=0, actual=m.marks_in_attempt) if m.marks_in_attempt else None


def completion_met(m: MembershipDossier) -> list[Reason]:
    """Attendance, every required assessment, and in a dual class the hours in the enterprise: one reason each."""
    return unmet(m.achieved)


def completion_unmet(m: MembershipDossier) -> Reason | None:
    """Nobody fails who has met every condition."""
    return None if unmet(m.achieved) else Reason("completion_unmet")


def resit_in_time(m: MembershipDossier) -> Reason | None:
    """A resit is possible until the day that the class sets, also when the class is completed."""
    if m.resits_until is None or m.today > m.resits_until:
        return Reason("resit_in_time", required=m.resits_until, actual=m.today)
    return None


def class_goes_on(m: MembershipDossier) -> Reason | None:
    """Nobody is put back into a class that was cancelled."""
    states = ("open", "running", "completed")
    return None if m.class_state in states else Reason("class_goes_on", required=states, actual=m.class_state)


def transfer_fits(m: MembershipDossier, given: Given) -> list[Reason]:
    """The other class is of the same kind, takes people, has a place, and they are not in it."""
    pointer = "/to_class_id"
    if m.to_state is None or given["to_class_id"] == m.class_id:
        return [Reason("class_known", pointer=pointer)]
    found = []
    if m.to_kind != m.class_kind:
        found.append(Reason("class_same_kind", required=m.class_kind, actual=m.to_kind, pointer=pointer))
    if m.to_state not in TAKING:
        found.append(Reason("class_takes_people", required=TAKING, actual=m.to_state, pointer=pointer))
    if m.to_places_free < 1:
        found.append(Reason("place_free", required=1, actual=m.to_places_free, pointer=pointer))
    if m.to_already_member:
        found.append(Reason("not_a_member_yet", pointer=pointer))
    return found


# fmt: off
MEMBERSHIP = Lifecycle[Any]("membership", [
    #    action     from           to             who                     only if                                        leaves behind
    Rule("register", [NEW],        "registered",  PEOPLE_AND_COORDINATOR, [class_takes_people, place_free, not_a_member], "membership.registered",
         takes=[Takes("class_id", UUID, "The class.")], shared=True),
    Rule("receive", [NEW],         "registered",  [SYSTEM],               [],                                            "membership.received", undo=False),
    Rule("attend",  ["registered"], "attending",  TEACHING,               [class_running],                               "membership.attending", undo=[nothing_recorded]),
    Rule("pass",    ["attending"], "passed",      [INSTRUCTOR, SYSTEM],   [completion_met],                              "membership.passed",
         shared=True, undo=[class_goes_on, place_free, not_a_member]),
    Rule("fail",    ["attending"], "failed",      [INSTRUCTOR, SYSTEM],   [completion_unmet],                            "membership.failed",
         shared=True, undo=[class_goes_on, place_free, not_a_member]),
    Rule("resit",   ["failed"],    "attending",   [INSTRUCTOR],           [class_goes_on, resit_in_time, place_free, not_a_member], "membership.resit",
         shared=True, undo=[nothing_in_attempt]),
    Rule("withdraw", LIVE,         "withdrawn",   PEOPLE_AND_COORDINATOR, [],                                            "membership.withdrawn",
         takes=[because("health", "family", "financial", "schedule", "moved_away", "not_interested", "other_offer", "personal", "no_show", "misconduct", "other")],
         shared=True, undo=[class_goes_on, place_free, not_a_member]),
    Rule("transfer", LIVE,         "transferred", PEOPLE_AND_COORDINATOR, [],                                            "membership.transferred",
         takes=[Takes("to_class_id", UUID, "The class to which they go.")], checks=[transfer_fits], shared=True, undo=False),
    # The import by which somebody came in mid-way was taken back.
    Rule("void",    LIVE,          VOIDED,        [SYSTEM],               [],                                            "membership.voided", shared=True, undo=False),
    Rule("call_off", LIVE,         "withdrawn",   [SYSTEM],               [],                                            "membership.withdrawn", undo=False),
])
# fmt: on
