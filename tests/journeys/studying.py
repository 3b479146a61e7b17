"""From the record of a person to the end of their studies: the part that all three journeys share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from service.domain.actors import TRAINEE
from service.domain.values import COUNTRIES, Passport, write_mrz
from tests.conftest import TODAY
from tests.journeys.placing import supply
from tests.journeys.story import Body, Story, day, illegal, lacking, tail

NOTICE = {
    "recipient": "North Vocational College",
    "purpose": "enrolment and training",
    "categories": "name, birth date, identity document, education",
    "rights": "to see, to correct, to withdraw at any time",
}
UNEARNED = ("stage_credits", "required_courses")


def _meeting(offset: int) -> Body:
    return {"starts_at": f"{day(offset)}T09:00:00+08:00", "ends_at": f"{day(offset)}T12:00:00+08:00"}


async def register(s: Story) -> None:
    """The person with their passport, their own account, a consent that they give, an accepted document."""
    p, c = s.plot, s.coordinator
    country = COUNTRIES[p.nationality]
    surname, given = p.name_latin.split(", ")
    passport = Passport(country, surname, given, "E73940182", country, p.born, "M", TODAY + timedelta(days=1500))
    line1, line2 = write_mrz(passport)
    body: Body = {
        "name_native": p.name_native, "name_latin": p.name_latin, "sex": "male", "birth_on": p.born.isoformat(),
        "nationality": p.nationality, "email": "person@example.org", "phone": "+8613800000000",
        "passport_mrz": {"line1": line1, "line2": line2},
    }  # fmt: skip
    misread = {"line1": line1, "line2": line2[:9] + str((int(line2[9]) + 1) % 10) + line2[10:]}
    other = "VN"
    no_one = "organisation_known"
    made = await s.born(
        c, "/v1/trainees", body,
        lacking("number_check_digit_wrong", "composite_check_digit_wrong", **(body | {"passport_mrz": misread})),
        lacking("passport_nationality_same", **(body | {"nationality": other})),
        lacking("role", by=s.instructor, status=403, **body),
    )  # fmt: skip
    s.tell("register")
    s.person = made["id"]
    wrong = {"email": "clerk@example.org", "name": "Clerk", "roles": ["enterprise"]}
    assert [r["code"] for r in (await c.post("/v1/appointments", wrong)).json()["reasons"]] == [no_one]
    s.trainee = await s.invited(TRAINEE, person_ids=[s.person])
    assert await s.stage() == "prospect"


async def consent(s: Story) -> None:
    """Asked with a notice, given by the person alone."""
    asked: Body = {"person_id": s.person, "purpose": "enrolment", "fields": ["name", "education"], "notice": NOTICE}
    made = await s.born(
        s.coordinator, "/v1/consents", asked,
        lacking("notice_whole", **(asked | {"notice": {"purpose": "enrolment"}})),
        lacking("role", by=s.trainee, status=403, **asked),
    )  # fmt: skip
    path = f"/v1/consents/{made['id']}"
    await s.step(
        s.trainee, path, "give",
        illegal("withdraw"),
        lacking("recorded_for_required", by=s.coordinator),
        lacking("evidence_required", by=s.coordinator, recorded_for="trainee"),
        expect="given",
    )  # fmt: skip


async def announce(s: Story) -> str:
    """A course, a programme with it, and an intake with an approved plan; the intake's path."""
    c, p = s.coordinator, s.plot
    course: Body = {
        "code": "MT-1",
        "title_native": "机电一体化",
        "title_latin": "Mechatronics",
        "credits": "6",
        "kind": "theory",
    }
    s.course = (await s.born(c, "/v1/courses", course, lacking("role", by=s.trainee, status=403, **course)))["id"]
    proof = {"test": p.language["test"], "level": p.language["level"]}
    home: Body = {"no": 1, "place": "home", "years": "2", "title": "Home", "credits_required": "6"}
    abroad: Body = {"no": 2, "place": "abroad", "years": "1", "title": "Abroad", "credits_required": "0"}
    programme: Body = {
        "code": "MEC", "title_native": "机电一体化技术", "title_latin": "Mechatronics Technology",
        "kind": "x_plus_x" if p.stages > 1 else "vocational", "level": 5, "field": "0714",
        "stages": [home, abroad][: p.stages], "languages": [proof], "certificates": ["language"],
    }  # fmt: skip
    made = await s.born(
        c, "/v1/programmes", programme,
        lacking("stages_in_order", **(programme | {"stages": [home | {"no": 2}]})),
        lacking("role", by=s.registrar, status=403, **programme),
    )  # fmt: skip
    path = s.programme = f"/v1/programmes/{made['id']}"
    curriculum = [{"course_id": s.course, "stage": 1}]
    await s.step(
        c, path, "set_curriculum",
        illegal("activate"),
        lacking("course_known", courses=[{"course_id": str(uuid4()), "stage": 1}]),
        courses=curriculum,
    )  # fmt: skip
    await s.step(
        s.admin, path, "approve", illegal("retire", by=c), lacking("role", by=c, status=403), expect="approved"
    )
    intake: Body = {
        "programme_id": tail(path), "code": "all-year", "opens_on": day(s.today), "closes_on": day(60),
        "starts_on": day(60), "nationalities": [p.nationality], "age_least": 16,
    }  # fmt: skip
    refused = await c.post("/v1/intakes", s.dated(intake))
    assert [r["code"] for r in refused.json()["reasons"]] == ["programme_active"]
    await s.step(
        c, path, "activate", illegal("approve", by=s.admin),
        lacking("role", by=s.registrar, status=403), expect="active",
    )  # fmt: skip
    made = await s.born(
        c, "/v1/intakes", intake, lacking("dates_in_order", **(intake | {"closes_on": day(s.today - 1)}))
    )
    path = f"/v1/intakes/{made['id']}"
    plan: Body = {"plan_authority": "省教育厅", "plan_number": "教招12号", "plan_version": "1"}
    await s.step(
        c, path, "set_quotas", illegal("open"),
        lacking("places_in_bounds", quotas=[{"source": "*", "places": -1}]),
        quotas=[{"source": "*", "places": 0}],
    )  # fmt: skip
    await s.never(path, "publish", lacking("places_planned", **plan), c)
    await s.step(
        c, path, "set_quotas", illegal("close"),
        lacking("sources_distinct", quotas=[{"source": "*", "places": 1}] * 2),
        quotas=[{"source": "*", "places": 1}],
    )  # fmt: skip
    early = await c.post("/v1/applications", s.dated({"person_id": s.person, "intake_id": tail(path)}))
    assert [r["code"] for r in early.json()["reasons"]] == ["intake_announced"]
    await s.step(
        c, path, "publish", illegal("complete"), lacking("missing", "missing", "missing", status=422),
        **plan, expect="published",
    )  # fmt: skip
    return path


async def enrol(s: Story) -> None:
    """From the application to the place: the only one that the plan has."""
    c, intake = s.coordinator, await announce(s)
    body: Body = {"person_id": s.person, "intake_id": tail(intake)}
    made = await s.born(
        s.trainee, "/v1/applications", body, lacking("role", by=s.registrar, status=403, **body),
        lacking("intake_announced", **(body | {"intake_id": str(uuid4())})),
    )  # fmt: skip
    s.tell("apply")
    path = f"/v1/applications/{made['id']}"
    assert await s.stage() == "applicant"
    await s.never(path, "submit", lacking("intake_open", "consent_given"), s.trainee)
    s.tell("submit-bare")
    await s.step(c, intake, "open", illegal("close"), lacking("role", by=s.trainee, status=403), expect="open")
    await consent(s)
    await s.paper(s.trainee, "identity", s.person)
    submit = lacking("occurred_on_in_range", occurred_on=day(s.today - 1))
    await s.step(s.trainee, path, "submit", illegal("take_on", by=c), submit, expect="submitted")
    s.tell("submit")
    await s.step(
        c, path, "take_on", illegal("select"), lacking("role", by=s.trainee, status=403), expect="under_review"
    )
    await s.step(
        c, path, "ask_documents", illegal("supply_documents", by=s.trainee),
        lacking("missing", status=422), documents=["diploma"], expect="documents_required",
    )  # fmt: skip
    await s.never(path, "supply_documents", lacking("documents_supplied"), s.trainee)
    diploma = await s.paper(s.trainee, "diploma", s.person)
    await s.step(
        s.trainee, path, "supply_documents", illegal("submit"),
        lacking("evidence_required", by=c, recorded_for="trainee"), expect="under_review",
    )  # fmt: skip
    await s.step(
        c, path, "find_eligible", illegal("waitlist"), lacking("source_known", source="火星"), expect="eligible"
    )
    done = await s.step(
        c, path, "select", illegal("submit", by=s.trainee), lacking("role", by=s.registrar, status=403),
        expect="selected",
    )  # fmt: skip
    s.tell("select")
    s.enrolment = f"/v1/enrolments/{done['created']['enrolment']}"
    assert await s.stage() == "enrolled"
    identity = (await c.get("/v1/documents", person_id=s.person)).json()["items"]
    card = f"/v1/documents/{next(d['id'] for d in identity if d['kind'] == 'identity')}"
    foreign = s.plot.nationality != "CN"
    papers = ["requirement_missing"] * 2 if foreign else []
    await s.never(s.enrolment, "enrol", lacking("identity_verified", *papers, fee="paid"), c)
    shown, s.today = s.today, 0  # what was scanned today was looked at today
    for scan in (card, f"/v1/documents/{diploma}"):
        await s.step(c, scan, "accept", illegal("supersede"), lacking("role", by=s.trainee, status=403))
    s.today = shown
    for item in ("jw_form", "x1_visa", "residence_permit") if foreign else ():
        await supply(s, s.person, item, "trainee")
    await s.step(
        c, s.enrolment, "enrol", illegal("complete", by=s.registrar), lacking("missing", status=422),
        fee="paid", expect="enrolled",
    )  # fmt: skip
    filled = (await c.get(intake)).json()["quotas"]
    assert [(q["source"], q["places"], q["taken"]) for q in filled] == [("*", 1, 1)]


async def train(s: Story, first: int, last: int) -> None:
    """A class from the first to the last day: four meetings, one assessment, passed by rule."""
    c, i = s.coordinator, s.instructor
    teacher = (await i.get("/v1/me")).json()["account_id"]
    body: Body = {
        "kind": "language", "title": "Language for work", "capacity": 1, "starts_on": day(first),
        "ends_on": day(last), "time_zone": "Asia/Shanghai", "min_attendance_percent": 75,
    }  # fmt: skip
    s.on(first)
    made = await s.born(
        c, "/v1/classes", body, lacking("zone_known", **(body | {"time_zone": "Asia/Atlantis"})),
        lacking("role", by=i, status=403, **body),
    )  # fmt: skip
    klass = f"/v1/classes/{made['id']}"
    await s.never(klass, "open", lacking("teacher_assigned"), c)
    await s.edited(c, klass, teacher_id=teacher)
    place: Body = {"person_id": s.person, "class_id": tail(klass)}
    early = await c.post("/v1/memberships", s.dated(place))
    assert [r["code"] for r in early.json()["reasons"]] == ["class_takes_people"]
    await s.step(c, klass, "open", illegal("finish"), lacking("role", by=i, status=403), expect="open")
    made = await s.born(
        s.trainee, "/v1/memberships", place, lacking("class_known", **(place | {"class_id": str(uuid4())}))
    )
    member = f"/v1/memberships/{made['id']}"
    assert await s.stage() == "in_training"
    await s.never(member, "attend", lacking("class_running"), i)
    await s.step(i, klass, "start", illegal("finish"), lacking("role", by=s.trainee, status=403))
    await s.step(i, member, "attend", illegal("pass"), lacking("role", by=s.trainee, status=403))
    oral: Body = {"name": "oral", "max_mark": "20", "pass_mark": "12", "weight": "1", "required": True}
    await s.step(
        i, klass, "set_assessment", illegal("open", by=c), lacking("pass_mark_reachable", **(oral | {"pass_mark": "21"})),
        **oral,
    )  # fmt: skip
    (assessment,) = (await i.get(f"{klass}/assessments")).json()["items"]
    days = [first + n * (last - first) // 5 for n in range(1, 5)]
    await s.step(
        i, klass, "schedule_sessions", illegal("open", by=c),
        lacking("session_in_class", sessions=[_meeting(last + 1)]), sessions=[_meeting(d) for d in days],
    )  # fmt: skip
    meetings = (await i.get(f"{klass}/sessions")).json()["items"]
    for n, (held, kind) in enumerate(zip(days, ("absent", "present", "present", "present"), strict=True)):
        s.on(held)
        mark = {"membership_id": tail(member), "kind": kind}
        await s.step(
            i, klass, "take_attendance",
            illegal("finish", "results_final"),
            lacking("attendance_kind_known", session_id=meetings[n]["id"], marks=[mark | {"kind": "asleep"}]),
            session_id=meetings[n]["id"], marks=[mark],
        )  # fmt: skip
        if n == 1:
            await s.never(member, "pass", lacking("attendance_reached", "assessment_passed"), i)
            s.tell("pass-bare")
    s.on(last)
    mark = {"membership_id": tail(member), "mark": "15"}
    await s.step(
        i, klass, "record_marks", illegal("finish", "results_final"),
        lacking("mark_in_range", assessment_id=assessment["id"], marks=[mark | {"mark": "21"}]),
        assessment_id=assessment["id"], marks=[mark],
    )  # fmt: skip
    await s.step(i, member, "pass", illegal("resit"), lacking("recorded_for_required", by=c), expect="passed")
    s.tell("pass")
    await s.step(i, klass, "finish", illegal("open", by=c), lacking("role", by=s.trainee, status=403))
    assert await s.stage() == "enrolled"


async def certify(s: Story, taken: int, **about: Any) -> None:
    """A certificate: recorded by one, verified by another who saw the scan."""
    c, p = s.coordinator, s.person
    issued = taken + 40
    s.on(issued)
    scan = await s.paper(c, "certificate", p)
    body: Body = {"person_id": p, "taken_on": day(taken), "issued_on": day(issued), "number": uuid4().hex} | about
    made = await s.born(
        c, "/v1/certificates", body | {"document_id": scan},
        lacking("issued_after_taken", **(body | {"issued_on": day(taken - 1)})),
        lacking("role", by=s.admin, status=403, **body),
    )  # fmt: skip
    path = f"/v1/certificates/{made['id']}"
    await s.step(
        s.registrar, path, "verify",
        illegal("revoke", reason_code="fraud"),
        lacking("by_another_account", by=c, evidence=[scan]),
        lacking("evidence_required"),
        evidence=[scan], expect="verified",
    )  # fmt: skip
    s.tell("verify-certificate")


async def recognise(s: Story) -> None:
    """What was learned elsewhere becomes credits of the programme, and completes it."""
    c, r, person = s.coordinator, s.registrar, s.person
    body: Body = {
        "person_id": person, "source": "partner", "owner": "Hochschule Nord", "course_title": "Mechatronik",
        "credits": "6", "scheme": "ects", "grade": "1,7", "passed": True, "achieved_on": day(s.today),
    }  # fmt: skip
    nameless: Body = {k: v for k, v in body.items() if k != "owner"}
    made = await s.born(
        s.trainee, "/v1/results", body, lacking("owner_named", **nameless),
        lacking("out_of_bounds", **(body | {"credits": "1000"})),
    )  # fmt: skip
    result = f"/v1/results/{made['id']}"
    wanted: Body = {"result_id": made["id"], "target_course_id": s.course}
    case: Body = {"person_id": person, "kind": "transcript", "items": [wanted]}
    bare = await s.trainee.post("/v1/recognition-cases", s.dated(case))
    assert [n["code"] for n in bare.json()["reasons"]] == ["evidence_required"]
    scan = await s.paper(s.trainee, "transcript", person)
    await s.step(
        r, result, "verify", lacking("evidence_required"), lacking("role", by=s.trainee, status=403, evidence=[scan]),
        evidence=[scan], expect="verified",
    )  # fmt: skip
    outstanding = lacking("in_last_stage", *UNEARNED) if s.plot.stages > 1 else lacking(*UNEARNED)
    await s.never(s.enrolment, "complete", outstanding, r)
    s.tell("complete-bare")
    made = await s.born(
        s.trainee, "/v1/recognition-cases", case,
        lacking("share_percent", "share_free", **(case | {"items": [wanted | {"share_percent": "101"}]})),
        lacking("result_known", **(case | {"items": [wanted | {"result_id": str(uuid4())}]})),
    )  # fmt: skip
    path = f"/v1/recognition-cases/{made['id']}"
    assert await s.stage() == "credit_recognition"
    await s.step(r, path, "take_on", illegal("notify", by=c), lacking("role", by=c, status=403))
    (item,) = (await r.get(path)).json()["items"]
    no: Body = {"item_id": item["id"], "outcome": "not_recognised"}
    await s.step(
        r, path, "decide", illegal("reverse", reason_code="fraud"),
        lacking("difference_named", "reasons_written", decisions=[no]),
        decisions=[{"item_id": item["id"], "outcome": "recognised"}], expect="decided",
    )  # fmt: skip
    ledger = await s.trainee.get("/v1/ledger", person_id=person)
    assert ledger.json()["items"] == []
    await s.step(c, path, "notify", illegal("take_on", by=r), lacking("role", by=r, status=403), expect="final")
    (entry,) = (await s.trainee.get("/v1/ledger", person_id=person)).json()["items"]
    s.tell("ledger")
    assert (entry["course_id"], entry["credits"], entry["sign"]) == (s.course, "6", 1)
    assert await s.stage() == "enrolled"
    if s.plot.stages > 1:
        await s.step(
            r,
            s.enrolment,
            "advance_stage",
            illegal("resume", by=c),
            illegal("complete", "in_last_stage"),
            lacking("role", by=c, status=403),
        )
    await s.step(
        r, s.enrolment, "complete", illegal("resume", by=c), lacking("role", by=c, status=403), expect="completed"
    )
    assert await s.stage() == "alumni"
