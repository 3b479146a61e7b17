"""What the moves of classes and memberships leave behind: places, the timetable, attendance, marks, results."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.actions.work import Item, Subject, Work
from service.domain.completion import attendance, attendance_percent, score, unmet
from service.domain.lifecycle import Given, Step
from service.domain.training import (
    ADD,
    CANCEL,
    CHANGE,
    CLASS_CANCELLED,
    LIVE,
    MEMBERSHIP,
    REINSTATE,
    SAME,
    TRAINING_CLASS,
    AttendanceMark,
    ClassDossier,
    MemberFact,
    MembershipDossier,
    NewMembership,
    PlannedSession,
    SessionFact,
    TimetableEntry,
    corrected,
    hours_attended,
    length,
    local_day,
    place_all,
    sheets_of,
    taken_at,
)
from service.storage import training as stored
from service.storage.ids import uuid7
from service.storage.tables import training as tables

OWN = (
    "title", "course_id", "capacity", "starts_on", "ends_on", "time_zone", "teacher_id", "min_attendance_percent",
    "excused", "resits_until", "enterprise_id", "hours_required",
)  # fmt: skip
OWN_UIDS = "sojourn"
"""What stands behind the id of a meeting that was planned here, in its uid (RFC 5545, 3.8.4.7)."""


# ---- a class
def plan(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """A class with every place free."""
    columns = {"min_attendance_percent": 0, "excused": (), "taken": 0, "kind": given["kind"]}
    columns |= {name: given[name] for name in OWN if name in given}
    return columns | {"event_data": {"kind": given["kind"], "capacity": given["capacity"]}}


def edit(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """New values; the event names the fields."""
    changed = {name: given[name] for name in OWN if name in given}
    return changed | {"event_data": {"fields": sorted(changed)}}


def _moved_member(work: Work, c: Item[Any], m: MemberFact, step: Step, **columns: Any) -> None:
    data = {"class_id": c.id, "reason_code": CLASS_CANCELLED}
    work.move(tables.memberships, step, m.id, m.person_id, m.version, main=False, data=data, **columns)


def cancel(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Every live membership is withdrawn, and every place given back."""
    live = [m for m in item.dossier.members if m.state in LIVE]
    for m in live:
        step = MEMBERSHIP.follow("call_off", m.state)
        _moved_member(work, item, m, step, ended_because=CLASS_CANCELLED, ended_from=m.state)
    return {"taken": 0, "event_data": {"reason_code": given["reason_code"], "memberships": [m.id for m in live]}}


def undo_cancel(work: Work, item: Item[ClassDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """Whoever the cancelling withdrew is where they were, in the place that they had."""
    ended = [m for m in item.dossier.members if m.state not in LIVE and m.ended_from is not None]
    for m in ended:
        back = Step(
            MEMBERSHIP.name, "correct", m.state, m.ended_from or LIVE[0], "membership.corrected", corrects=m.event_seq
        )
        _moved_member(work, item, m, back, ended_because=None, ended_from=None)
    return {"taken": len(ended), "event_data": {"memberships": [m.id for m in ended]}}


def _add(work: Work, item: Item[ClassDossier], planned: PlannedSession | TimetableEntry, hours: Decimal) -> UUID:
    new_id = uuid7()
    work.writes.row(
        tables.class_sessions,
        item.stream,
        id=new_id,
        class_id=item.id,
        starts_on=local_day(planned.starts_at, item.dossier.time_zone),
        starts_at=planned.starts_at,
        ends_at=planned.ends_at,
        hours=hours,
        topic=planned.topic,
        uid=getattr(planned, "uid", None) or f"{new_id}@{OWN_UIDS}",
        sequence=0,
        changed_at=work.now,
    )
    return new_id


def schedule_sessions(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Meetings in the timetable, each on its day in the zone of the class."""
    return {"event_data": {"sessions": [_add(work, item, s, length(s)) for s in given["sessions"]]}}


def set_timetable(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Meetings added, changed, cancelled or put back, as the timetable has them."""
    done: dict[str, list[UUID]] = {does: [] for does in (ADD, CHANGE, CANCEL, REINSTATE)}
    for placed in place_all(item.dossier, given["sessions"]):
        entry, session = placed.entry, placed.session
        if placed.does == ADD:
            done[ADD].append(_add(work, item, entry, placed.hours))
        if placed.does == SAME or session is None:
            continue
        done[placed.does].append(session.id)
        moved: dict[str, Any] = {"sequence": session.sequence + 1, "changed_at": work.now}
        if placed.does == CANCEL:
            moved["cancelled_at"] = work.now
        else:
            moved |= {
                "starts_on": local_day(entry.starts_at, item.dossier.time_zone),
                "starts_at": entry.starts_at,
                "ends_at": entry.ends_at,
                "hours": placed.hours,
                "topic": entry.topic,
                "cancelled_at": None,
            }
        work.writes.change(tables.class_sessions, item.stream, id=session.id, **moved)
    return {"event_data": {does: ids for does, ids in done.items() if ids}}


def substitute_teacher(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Somebody else teaches these meetings, or the class's own teacher again."""
    for session in given["session_ids"]:
        work.writes.change(tables.class_sessions, item.stream, id=session, teacher_id=given.get("teacher_id"))
    return {"event_data": {"sessions": given["session_ids"], "teacher_id": given.get("teacher_id")}}


def cancel_sessions(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Meetings that do not take place count no hours."""
    for wanted in given["session_ids"]:
        session = _known(item, wanted)
        work.writes.change(
            tables.class_sessions,
            item.stream,
            id=wanted,
            cancelled_at=work.now,
            changed_at=work.now,
            sequence=session.sequence + 1,
        )
    return {"event_data": {"sessions": given["session_ids"]}}


def _known(item: Item[ClassDossier], wanted: UUID) -> SessionFact:
    session = item.dossier.session(wanted)
    if session is None:
        raise TypeError("the rules let an unknown meeting through")
    return session


def _next_seq(work: Work, stream: UUID) -> int:
    """The number of the event that this step is about to leave: what was said there, later rows replace."""
    return work.heads[stream].seq + 1


def take_attendance(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """A mark for each member named, of one meeting or of many; the meetings are held from now on."""
    seq, said = _next_seq(work, item.stream), []
    sheets = sheets_of(given)
    for sheet in sheets:
        session, taken = _known(item, sheet.session_id), taken_at(sheet, work.now)
        for mark in sheet.marks:
            hours = hours_attended(mark, session.hours)
            _mark(work, item, seq, session.id, mark, hours=hours, taken_at=taken)
            told = {"membership_id": mark.membership_id, "kind": mark.kind, "hours": hours}
            said.append(told if len(sheets) == 1 else {"session_id": session.id} | told)
        if not session.held:
            work.writes.change(tables.class_sessions, item.stream, id=session.id, taken_at=taken)
    if len(sheets) == 1:
        return {"event_data": {"session_id": sheets[0].session_id, "marks": said}}
    return {"event_data": {"sessions": [s.session_id for s in sheets], "marks": said}}


def _mark(work: Work, item: Item[ClassDossier], seq: int, session: UUID, mark: AttendanceMark, **columns: Any) -> None:
    work.writes.row(
        tables.attendance,
        item.stream,
        id=uuid7(),
        session_id=session,
        membership_id=mark.membership_id,
        seq=seq,
        kind=mark.kind,
        recorded_at=work.now,
        **columns,
    )


def correct_attendance(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Another mark in the place of the one that was wrong, which stays on record."""
    marked = item.dossier.marked
    if marked is None:
        raise TypeError("the rules let an unknown mark through")
    session = _known(item, marked.session_id)
    mark = corrected(given, marked.membership_id)
    hours = hours_attended(mark, session.hours)
    _mark(
        work, item, _next_seq(work, item.stream), session.id, mark,
        hours=hours, taken_at=work.now, corrects=marked.id,
    )  # fmt: skip
    return {
        "event_data": {
            "corrects_mark": marked.id,
            "session_id": session.id,
            "membership_id": marked.membership_id,
            "was": {"kind": marked.kind, "hours": marked.hours},
            "is": {"kind": mark.kind, "hours": hours},
        }
    }


def withdraw_attendance(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """What counted before counts again, all of it stays on record; a meeting that nobody else marked is not held."""
    seq, said = _next_seq(work, item.stream), []
    for m in given["marks"]:
        mark = AttendanceMark(membership_id=m.membership_id, kind=m.kind, hours=m.hours)
        _mark(work, item, seq, m.session_id, mark, hours=m.hours, taken_at=work.now, corrects=m.attendance_id)
        said.append({"corrects_mark": m.attendance_id, "membership_id": m.membership_id, "kind": m.kind})
    for session in sorted({m.session_id for m in given["marks"] if m.alone}):
        work.writes.change(tables.class_sessions, item.stream, id=session, taken_at=None)
    return {"event_data": {"marks": said}}


def set_assessment(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """A new assessment, or other values of one that is there."""
    values = {name: given[name] for name in ("name", "max_mark", "pass_mark", "weight", "required")}
    values["part_of"] = given.get("part_of")
    known = given.get("assessment_id")
    if known is None:
        known = uuid7()
        work.writes.row(tables.assessments, item.stream, id=known, class_id=item.id, **values)
        work.created["assessment"] = known
    else:
        work.writes.change(tables.assessments, item.stream, id=known, **values)
    said = {name: value for name, value in values.items() if name != "name"}
    return {"event_data": {"assessment_id": known} | said}


def record_marks(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """A mark of each member named, in the attempt that they are in."""
    seq, attending, said = _next_seq(work, item.stream), item.dossier.attending, []
    for row in given["marks"]:
        attempt = attending[row.membership_id].attempt
        work.writes.row(
            tables.class_marks,
            item.stream,
            id=uuid7(),
            assessment_id=given["assessment_id"],
            membership_id=row.membership_id,
            attempt=attempt,
            seq=seq,
            mark=row.mark,
            marked_on=work.occurred_on,
        )
        said.append({"membership_id": row.membership_id, "attempt": attempt, "mark": row.mark})
    return {"event_data": {"assessment_id": given["assessment_id"], "marks": said}}


def confirm_hours(work: Work, item: Item[ClassDossier], _step: Step, given: Given) -> dict[str, Any]:
    """All hours that each member named has worked so far."""
    seq, said = _next_seq(work, item.stream), []
    for row in given["hours"]:
        work.writes.row(
            tables.enterprise_hours,
            item.stream,
            id=uuid7(),
            membership_id=row.membership_id,
            seq=seq,
            hours=row.hours,
            confirmed_on=work.occurred_on,
        )
        said.append({"membership_id": row.membership_id, "hours": row.hours})
    return {"event_data": {"hours": said}}


CLASSES: Subject[Any] = Subject(
    "classes",
    TRAINING_CLASS,
    tables.training_classes,
    stored.CLASS_FACTS,
    births={
        "plan": stored.NEW_CLASS,
        "edit": stored.EDIT_FACTS,
        "substitute_teacher": stored.SUBSTITUTE_FACTS,
        "set_timetable": stored.TIMETABLE_FACTS,
        "schedule_sessions": stored.TIMETABLE_FACTS,
        "correct_attendance": stored.CORRECTION_FACTS,
    },
    effects={
        "plan": plan,
        "edit": edit,
        "cancel": cancel,
        "schedule_sessions": schedule_sessions,
        "cancel_sessions": cancel_sessions,
        "set_timetable": set_timetable,
        "substitute_teacher": substitute_teacher,
        "take_attendance": take_attendance,
        "take_attendance_of_many": take_attendance,
        "correct_attendance": correct_attendance,
        "withdraw_attendance": withdraw_attendance,
        "set_assessment": set_assessment,
        "record_marks": record_marks,
        "confirm_hours": confirm_hours,
    },
    undo={"cancel": undo_cancel},
    kind="training_class",
)


# ---- places
def _place(work: Work, class_id: UUID, by: int, **data: Any) -> None:
    """A place taken or given back, with its event in the class's stream: only so does the class's head move."""
    work.writes.count(tables.training_classes, class_id, {"id": class_id}, taken=by)
    work.record(
        class_id,
        None,
        type_="training_class.place_taken" if by > 0 else "training_class.place_freed",
        subject="training_class",
        subject_id=class_id,
        data=data,
        main=False,
    )


def take_place(work: Work, item: Item[MembershipDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The membership holds a place again, and how it ended is forgotten."""
    _place(work, item.dossier.class_id, +1, membership_id=item.id)
    return {"ended_because": None, "ended_from": None, "attendance_percent": None, "score": None}


def give_place_back(work: Work, item: Item[MembershipDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The membership's place is free."""
    _place(work, item.dossier.class_id, -1, membership_id=item.id)
    return {}


def _adjust(dossier: Any, work: Work) -> Any:
    """The places that this same act has already taken are not free."""

    def taken(class_id: UUID | None) -> int:
        return work.counted(tables.training_classes, {"id": class_id}, "taken") if class_id else 0

    if isinstance(dossier, NewMembership):
        return replace(dossier, places_free=dossier.places_free - taken(dossier.class_id))
    if isinstance(dossier, MembershipDossier):
        return replace(
            dossier,
            places_free=dossier.places_free - taken(dossier.class_id),
            to_places_free=dossier.to_places_free - taken(dossier.to_class_id),
        )
    return dossier


# ---- a membership
def register(work: Work, _item: Item[NewMembership], _step: Step, given: Given) -> dict[str, Any]:
    """A place of the class."""
    _place(work, given["class_id"], +1, membership_id=work.created[MEMBERSHIP.name])
    return {
        "class_id": given["class_id"],
        "attempt": 1,
        "carried_held": 0,
        "carried_attended": 0,
        "event_data": {"class_id": given["class_id"]},
    }


def attend(work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Meetings count from this day."""
    return {"attending_on": work.occurred_on}


def undo_attend(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """No meeting counts yet."""
    return {"attending_on": None}


def _result(work: Work, item: Item[MembershipDossier]) -> dict[str, Any]:
    achieved = item.dossier.achieved
    _place(work, item.dossier.class_id, -1, membership_id=item.id)
    result = {"attendance_percent": attendance_percent(achieved), "score": score(achieved)}
    reasons = unmet(achieved)
    return result | {
        "event_data": result
        | {
            "class_id": item.dossier.class_id,
            "attempt": item.dossier.attempt,
            "unmet": sorted({reason.code for reason in reasons}),
        }
    }


def settle(work: Work, item: Item[MembershipDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The result as the rule computed it; the place is given back."""
    return _result(work, item)


def resit(work: Work, item: Item[MembershipDossier], step: Step, given: Given) -> dict[str, Any]:
    """The next attempt, with a place; the marks of the old one stay."""
    attempt = item.dossier.attempt + 1
    return take_place(work, item, step, given) | {"attempt": attempt, "event_data": {"attempt": attempt}}


def undo_resit(work: Work, item: Item[MembershipDossier], step: Step, given: Given) -> dict[str, Any]:
    """The attempt before, with its result."""
    achieved = item.dossier.achieved
    return give_place_back(work, item, step, given) | {
        "attempt": item.dossier.attempt - 1,
        "attendance_percent": attendance_percent(achieved),
        "score": score(achieved),
    }


def withdraw(work: Work, item: Item[MembershipDossier], step: Step, given: Given) -> dict[str, Any]:
    """Out of the class; the place is free."""
    return give_place_back(work, item, step, given) | {"ended_because": given["reason_code"]}


def transfer(work: Work, item: Item[MembershipDossier], step: Step, given: Given) -> dict[str, Any]:
    """A membership of the other class, to which the hours of this one are carried; the place here is free."""
    counted, attended = attendance(item.dossier.achieved)
    to = given["to_class_id"]
    give_place_back(work, item, step, given)
    opened = work.bear(
        tables.memberships,
        MEMBERSHIP,
        "receive",
        item.stream,
        class_id=to,
        attempt=1,
        carried_held=counted,
        carried_attended=attended,
        transferred_from=item.id,
        data={"class_id": to, "transferred_from": item.id, "carried_held": counted, "carried_attended": attended},
    )
    _place(work, to, +1, membership_id=opened)
    return {"ended_because": "transferred", "event_data": {"to_class_id": to, "membership_id": opened}}


MEMBERSHIPS: Subject[Any] = Subject(
    "memberships",
    MEMBERSHIP,
    tables.memberships,
    stored.MEMBERSHIP_FACTS,
    births={"register": stored.NEW_MEMBERSHIP, "transfer": stored.TRANSFER_FACTS},
    effects={
        "register": register,
        "attend": attend,
        "pass": settle,
        "fail": settle,
        "resit": resit,
        "withdraw": withdraw,
        "transfer": transfer,
        "void": give_place_back,
    },
    undo={
        "register": give_place_back,
        "attend": undo_attend,
        "pass": take_place,
        "fail": take_place,
        "resit": undo_resit,
        "withdraw": take_place,
    },
    adjust=_adjust,
)


__all__ = ["CLASSES", "MEMBERSHIPS"]
