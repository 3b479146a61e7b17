"""Applications to intakes."""

from sqlalchemy import CheckConstraint, Date, Index, Integer, Text, column, text
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint

from service.domain.applications import APPLICATION, LIVE
from service.storage.tables.columns import belongs, c, item_table

_LIVE = ", ".join(f"'{state}'" for state in LIVE)

applications = item_table(
    "applications",
    APPLICATION,
    *belongs("person_id", "trainees"),
    *belongs("intake_id", "intakes"),
    c("education_level", Integer, null=True),
    c("submitted_on", Date, null=True),
    c("documents_asked", ARRAY(Text)),
    c("source", null=True),
    c("rank", Integer, null=True),
    c("reason_code", null=True),
    CheckConstraint("state <> 'waitlisted' OR rank IS NOT NULL", name="rank_of_waiting"),
    Index(
        "applications_one_live",
        "institution_id",
        "person_id",
        "intake_id",
        unique=True,
        postgresql_where=text(f"state IN ({_LIVE})"),
    ),
    # Looked at when a statement ends, and not row by row: two who change ranks hold each other's for a moment.
    ExcludeConstraint(
        *[(column(name), "=") for name in ("institution_id", "intake_id", "source", "rank")],
        using="btree",
        where=text("state = 'waitlisted'"),
        deferrable=True,
        initially="IMMEDIATE",
        name="applications_one_of_rank",
    ),
    Index("applications_by_state", "institution_id", "intake_id", "state", "id"),
)
