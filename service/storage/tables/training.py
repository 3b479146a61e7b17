"""Training: classes with their places, timetable, attendance, assessments and marks; who is in them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from service.domain.completion import ATTENDANCE_KINDS
from service.domain.training import CLASS_KINDS, LIVE, MEMBERSHIP, TRAINING_CLASS
from service.storage.tables.columns import (
    WRITTEN_ONCE,
    belongs,
    c,
    instant,
    item_table,
    one_of,
    refers,
    tenant_table,
)

HOURS = Numeric(8, 2)
MARK = Numeric(10, 4)

training_classes = item_table(
    "training_classes",
    TRAINING_CLASS,
    c("kind"),
    c("title"),
    *belongs("course_id", "courses", null=True),
    c("capacity", Integer),
    c("taken", Integer),
    c("starts_on", Date),
    c("ends_on", Date),
    c("time_zone"),
    c("teacher_id", Uuid, null=True),
    ForeignKeyConstraint(["teacher_id"], ["accounts.id"]),
    Index(None, "teacher_id"),
    c("min_attendance_percent", Integer),
    c("excused", ARRAY(Text)),
    c("resits_until", Date, null=True),
    c("enterprise_id", Uuid, null=True),
    ForeignKeyConstraint(["enterprise_id"], ["organisations.id"]),
    Index(None, "enterprise_id"),
    c("hours_required", HOURS, null=True),
    one_of("kind", CLASS_KINDS),
    CheckConstraint("taken BETWEEN 0 AND capacity", name="places"),
    CheckConstraint("min_attendance_percent BETWEEN 0 AND 100", name="percent"),
    CheckConstraint("starts_on <= ends_on", name="days"),
    stream="id",
)
memberships = item_table(
    "memberships",
    MEMBERSHIP,
    *belongs("person_id", "trainees"),
    *belongs("class_id", "training_classes"),
    c("attempt", Integer),
    c("attending_on", Date, null=True),
    c("carried_held", HOURS),
    c("carried_attended", HOURS),
    *belongs("transferred_from", "memberships", null=True),
    c("ended_because", null=True),
    c("ended_from", null=True),
    c("attendance_percent", Numeric(5, 2), null=True),
    c("score", Numeric(5, 2), null=True),
    CheckConstraint("attempt >= 1", name="attempt"),
    CheckConstraint("carried_attended BETWEEN 0 AND carried_held", name="carried"),
    Index(
        "memberships_one_live",
        "institution_id",
        "class_id",
        "person_id",
        unique=True,
        postgresql_where=text("state IN ({})".format(", ".join(f"'{s}'" for s in sorted(LIVE)))),
    ),
)
class_sessions = tenant_table(
    "class_sessions",
    *belongs("class_id", "training_classes"),
    c("starts_on", Date),
    instant("starts_at"),
    instant("ends_at"),
    c("hours", HOURS),
    c("topic", null=True),
    c("uid"),
    c("sequence", Integer),
    instant("changed_at"),
    c("teacher_id", Uuid, null=True),
    ForeignKeyConstraint(["teacher_id"], ["accounts.id"]),
    Index(None, "teacher_id"),
    instant("taken_at", null=True),
    instant("cancelled_at", null=True),
    CheckConstraint("starts_at < ends_at", name="instants"),
    UniqueConstraint("institution_id", "class_id", "uid"),
    CheckConstraint("taken_at IS NULL OR cancelled_at IS NULL", name="held_or_cancelled"),
)
attendance = tenant_table(
    "attendance",
    c("session_id", Uuid),
    refers("session_id", "class_sessions"),
    *belongs("membership_id", "memberships"),
    c("seq", BigInteger),
    c("kind"),
    c("hours", HOURS),
    instant("taken_at"),
    instant("recorded_at"),
    *belongs("corrects", "attendance", null=True),
    one_of("kind", ATTENDANCE_KINDS),
    CheckConstraint("hours >= 0", name="hours"),
    UniqueConstraint("institution_id", "session_id", "membership_id", "seq"),
)
assessments = tenant_table(
    "assessments",
    c("class_id", Uuid),
    refers("class_id", "training_classes"),
    c("name"),
    c("max_mark", MARK),
    c("pass_mark", MARK),
    c("weight", MARK),
    c("required", Boolean),
    *belongs("part_of", "assessments", null=True),
    CheckConstraint("0 <= pass_mark AND pass_mark <= max_mark AND max_mark > 0", name="bounds"),
    UniqueConstraint("institution_id", "class_id", "name"),
)
class_marks = tenant_table(
    "class_marks",
    c("assessment_id", Uuid),
    refers("assessment_id", "assessments"),
    *belongs("membership_id", "memberships"),
    c("attempt", Integer),
    c("seq", BigInteger),
    c("mark", MARK),
    c("marked_on", Date),
    CheckConstraint("mark >= 0", name="mark"),
    UniqueConstraint("institution_id", "assessment_id", "membership_id", "seq"),
)
enterprise_hours = tenant_table(
    "enterprise_hours",
    *belongs("membership_id", "memberships"),
    c("seq", BigInteger),
    c("hours", HOURS),
    c("confirmed_on", Date),
    CheckConstraint("hours >= 0", name="hours"),
    UniqueConstraint("institution_id", "membership_id", "seq"),
)
# A later row replaces an earlier one: attendance by the instant at which it was taken, all by the number of the event
# in the class's stream. Nothing that was said is lost.
WRITTEN_ONCE.update({"attendance", "class_marks", "enterprise_hours"})
