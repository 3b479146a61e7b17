"""Training over HTTP: classes, memberships, and what stands in a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, create_model
from starlette.responses import Response

from service.actions import reading
from service.actions.completion import completion, completions, enterprise_hours, those_at_risk
from service.actions.training import CLASSES, MEMBERSHIPS
from service.actions.work import Wanted, perform
from service.api.inputs import In, action_model
from service.api.messages import told
from service.api.operations import Asked, Operation, Operations, as_json, respond
from service.api.routes.downloads import downloading
from service.api.routes.subjects import Birth, Resource, cursor_of, given_to, moved, read_cursor, replied, routes_of
from service.api.schemas.common import MovedOut, PageOut
from service.api.schemas.training import (
    AssessmentOut,
    AtRiskAsked,
    AtRiskOut,
    AttendanceAsked,
    AttendanceOut,
    ClassOut,
    CompletionOut,
    HoursOut,
    MarkOut,
    MarksAsked,
    MembershipOut,
    Parts,
    SessionOut,
    SessionsAsked,
    TimetableAsked,
)
from service.domain.training import TRAINING_CLASS
from service.storage.training import (
    ASSESSMENT_VIEW,
    ATTENDANCE_VIEW,
    CLASS_VIEW,
    MARK_VIEW,
    MEMBERSHIP_VIEW,
    SESSION_VIEW,
)
from service.storage.views import View

CLASS = Resource(
    CLASSES,
    CLASS_VIEW,
    ClassOut,
    policy="classes.read",
    tag="training",
    births={"plan": Birth(extra=CLASSES.births["plan"].extra, summary="Plan a training class")},
    summaries={
        "edit": "Change a training class",
        "schedule_sessions": "Put meetings into the timetable",
        "cancel_sessions": "Cancel meetings",
        "set_timetable": "Add, change and cancel meetings as a timetable has them",
        "substitute_teacher": "Let somebody else teach meetings",
        "take_attendance": "Take the attendance of a meeting",
        "take_attendance_of_many": "Take the attendance of many meetings",
        "correct_attendance": "Correct a mark of attendance",
        "set_assessment": "Set an assessment, new or changed",
        "record_marks": "Record marks of an assessment",
        "confirm_hours": "Confirm hours worked in the enterprise",
    },
)


def _explained(asked: Asked, found: dict[str, Any]) -> dict[str, Any]:
    """Completion with its reasons in the reader's language."""
    return found | {
        "unmet": [told(reason, asked.language) for reason in found["unmet"]],
        "rules": [{"met": c.is_met} | told(c.reason, asked.language) for c in found["rules"]],
    }


async def _with_completion(asked: Asked, rows: list[dict[str, Any]]) -> None:
    found = await completions(asked.services, asked.call, [row["id"] for row in rows])
    for row in rows:
        row["completion"] = _explained(asked, found[row["id"]]) if row["id"] in found else None


MEMBERSHIP = Resource(
    MEMBERSHIPS,
    MEMBERSHIP_VIEW,
    MembershipOut,
    policy="memberships.read",
    tag="training",
    births={"register": Birth("person_id", extra=("class_id",), summary="Register somebody in a class")},
    includes={"completion": _with_completion},
)


PAGED = {"limit", "after"}


def _asked_for(query: type[BaseModel]) -> list[str]:
    return [name for name in query.model_fields if name not in PAGED]


async def _of_class(asked: Asked) -> dict[str, Any]:
    """A class that is not seen is not found."""
    await reading.item(asked.services, asked.call, CLASS_VIEW, "classes.read", asked.id)
    return {"class_id": asked.id}


def _parts(view: View, policy: str, query: type[BaseModel], sort: str | None = None) -> Callable[[Asked], Any]:
    """A page of what stands in one class; a class that is not seen is not found."""
    view.keeps("class_id", *_asked_for(query))

    async def handle(asked: Asked) -> Response:
        query = asked.query
        await reading.item(asked.services, asked.call, CLASS_VIEW, "classes.read", asked.id)
        given = query.model_dump(exclude=PAGED, exclude_none=True)
        found = await reading.page(
            asked.services, asked.call, view, policy, filters=given | {"class_id": asked.id}, limit=query.limit,
            after=read_cursor(query.after), sort=sort,
        )  # fmt: skip
        return respond({"items": found.items, "next": cursor_of(found.next)})

    return handle


async def _hours(asked: Asked) -> Response:
    return respond({"items": await enterprise_hours(asked.services, asked.call, asked.id)})


async def _completion(asked: Asked) -> Response:
    return respond(_explained(asked, await completion(asked.services, asked.call, asked.id)))


async def _at_risk(asked: Asked) -> Response:
    """Of one class, or of all: a class that is not seen is not found."""
    query, one = asked.query, asked.path.get("id")
    if one is not None:
        await reading.item(asked.services, asked.call, CLASS_VIEW, "classes.read", one)
    items, following = await those_at_risk(
        asked.services, asked.call, class_id=one, margin=query.margin_hours, after=read_cursor(query.after),
        limit=query.limit,
    )  # fmt: skip
    for item in items:
        item["reasons"] = [told(reason, asked.language) for reason in item["reasons"]]
    return respond({"items": items, "next": cursor_of(following)})


async def _sessions(asked: Asked) -> Response:
    query = asked.query
    found = await reading.page(
        asked.services, asked.call, SESSION_VIEW, "classes.read",
        filters=query.model_dump(exclude={"limit", "after"}, exclude_none=True), limit=query.limit,
        after=read_cursor(query.after), sort="starts_at",
    )  # fmt: skip
    return respond({"items": found.items, "next": cursor_of(found.next)})


async def _session(asked: Asked) -> Response:
    row = await reading.item(asked.services, asked.call, SESSION_VIEW, "classes.read", asked.id)
    return respond(row, version=row["version"])


async def _schedule(asked: Asked) -> Response:
    given = given_to(CLASS, "schedule_sessions", asked, asked.body)
    wanted = [Wanted(asked.id, asked.if_match)]
    done = await perform(asked.services, asked.call, CLASSES, "schedule_sessions", wanted, given, answer=moved)
    return replied(done, version=as_json(done.body)["version"])


async def _take_attendance(asked: Asked) -> Response:
    row = await reading.item(asked.services, asked.call, SESSION_VIEW, "classes.read", asked.id)
    given = given_to(CLASS, "take_attendance", asked, asked.body) | {"session_id": asked.id}
    wanted = [Wanted(row["class_id"], asked.if_match)]
    done = await perform(asked.services, asked.call, CLASSES, "take_attendance", wanted, given, answer=moved)
    return replied(done, version=as_json(done.body)["version"])


def _without(model: type[BaseModel], name: str, field: str) -> type[BaseModel]:
    """The same body without a field that stands in the address."""
    fields: dict[str, Any] = {n: (f.annotation, f) for n, f in model.model_fields.items() if n != field}
    return create_model(name, __base__=In, **fields)


def _acting(path: str, name: str, summary: str, handle: Any, body: type[BaseModel]) -> Operation:
    return Operation(
        "POST", path, name, summary, handle, "action", "lifecycle", MovedOut, body, versioned=True, keyed=True
    )


def _part(name: str, summary: str, view: View, policy: str, query: type[BaseModel], sort: str | None = None) -> Any:
    return name, summary, _parts(view, policy, query, sort), query


PARTS: tuple[tuple[str, str, Any, Any], ...] = (
    _part("sessions", "The timetable of a class", SESSION_VIEW, "classes.read", SessionsAsked, "starts_at"),
    _part("attendance", "The attendance in a class", ATTENDANCE_VIEW, "memberships.read", AttendanceAsked),
    _part("assessments", "The assessments of a class", ASSESSMENT_VIEW, "classes.read", Parts),
    _part("marks", "The marks in a class", MARK_VIEW, "memberships.read", MarksAsked),
)
FILES: tuple[tuple[str, View, str, Any, Any], ...] = (
    ("sessions", SESSION_VIEW, "classes.read", SessionOut, SessionsAsked),
    ("attendance", ATTENDANCE_VIEW, "memberships.read", AttendanceOut, AttendanceAsked),
    ("assessments", ASSESSMENT_VIEW, "classes.read", AssessmentOut, Parts),
    ("marks", MARK_VIEW, "memberships.read", MarkOut, MarksAsked),
)
PAGES: dict[str, Any] = {
    "sessions": PageOut[SessionOut],
    "attendance": PageOut[AttendanceOut],
    "assessments": PageOut[AssessmentOut],
    "marks": PageOut[MarkOut],
}


def routes() -> list[Operations]:
    """Every operation of the capability."""
    more = Operations("training")
    schedule = action_model(TRAINING_CLASS, "schedule_sessions")
    attend = _without(action_model(TRAINING_CLASS, "take_attendance"), "SessionAttendanceIn", "session_id")
    for part, summary, handle, query in PARTS:
        path, name = f"/classes/{{id}}/{part}", f"classes_{part}"
        more.add(Operation("GET", path, name, summary, handle, "list", "classes.read", PAGES[part], query=query))
    for part, view, policy, out, query in FILES:
        path, name = f"/classes/{{id}}/{part}/export", f"classes_{part}_export"
        sort = "starts_at" if part == "sessions" else None
        more.add(downloading(path, name, view, policy, out, query, sort=sort, within=_of_class))
    more.add(
        downloading(
            "/sessions/export", "sessions_export", SESSION_VIEW, "classes.read", SessionOut, TimetableAsked,
            sort="starts_at",
        )
    )  # fmt: skip
    more.add(
        Operation(
            "GET", "/sessions", "sessions_list", "Meetings of any class", _sessions, "list", "classes.read",
            PageOut[SessionOut], query=TimetableAsked,
        )
    )  # fmt: skip
    for path, name, whose in (("/at-risk", "at_risk_list", "any"), ("/classes/{id}/at-risk", "classes_at_risk", "a")):
        summary, policy = f"Who is at risk of not completing {whose} class", "memberships.read"
        risk = PageOut[AtRiskOut]
        more.add(Operation("GET", path, name, summary, _at_risk, "list", policy, risk, query=AtRiskAsked))
    for path, name, summary, handle, out in (
        ("/classes/{id}/hours", "classes_hours", "Hours in the enterprise, by member", _hours, HoursOut),
        ("/sessions/{id}", "sessions_get", "Read one meeting, with the ETag of its class", _session, SessionOut),
        ("/memberships/{id}/completion", "memberships_completion", "What counts so far", _completion, CompletionOut),
    ):
        policy = "memberships.read" if out is CompletionOut else "classes.read"
        more.add(Operation("GET", path, name, summary, handle, "read", policy, out))
    more.add(
        _acting("/classes/{id}/sessions", "sessions_schedule", "Put meetings into the timetable", _schedule, schedule)
    )
    more.add(
        _acting(
            "/sessions/{id}/attendance",
            "sessions_take_attendance",
            "Take the attendance of a meeting",
            _take_attendance,
            attend,
        )
    )
    return [more, routes_of(CLASS), routes_of(MEMBERSHIP)]
