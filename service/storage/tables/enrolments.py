"""Enrolments, and the credits and courses that were waived in them."""

from sqlalchemy import Boolean, CheckConstraint, Date, Index, Integer, Numeric, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from service.domain.enrolments import ENROLMENT, FEES, LIVE
from service.storage.tables.columns import belongs, c, instant, item_table, one_of, tenant_table

_LIVE = ", ".join(f"'{state}'" for state in LIVE)

enrolments = item_table(
    "enrolments",
    ENROLMENT,
    *belongs("person_id", "trainees"),
    *belongs("application_id", "applications"),
    *belongs("intake_id", "intakes"),
    *belongs("programme_id", "programmes"),
    *belongs("curriculum_id", "curricula", null=True),
    c("source"),
    c("holds_place", Boolean),
    c("stage", Integer),
    c("fee", null=True),
    c("leave_from", Date, null=True),
    c("leave_until", Date, null=True),
    c("entered_on", Date, null=True),
    c("reason_code", null=True),
    one_of("fee", FEES),
    CheckConstraint("stage >= 1", name="stage_counts"),
    CheckConstraint("state <> 'pending' OR holds_place", name="pending_holds_place"),
    Index(
        "enrolments_one_live",
        "institution_id",
        "person_id",
        "intake_id",
        unique=True,
        postgresql_where=text(f"state IN ({_LIVE})"),
    ),
    Index("enrolments_by_state", "institution_id", "state", "id"),
)
enrolment_waivers = tenant_table(
    "enrolment_waivers",
    *belongs("enrolment_id", "enrolments"),
    c("stage", Integer),
    c("credits", Numeric),
    c("course_ids", ARRAY(Uuid)),
    c("revoked", Boolean),
    instant("waived_at"),
    CheckConstraint("credits >= 0", name="credits_not_negative"),
)
