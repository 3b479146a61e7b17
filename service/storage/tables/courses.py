"""The course catalogue: an institution's own courses, and those of its partners."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Integer, Numeric, Uuid, text

from service.domain.courses import COURSE, COURSE_KINDS
from service.storage.tables.columns import c, item_table, one_of

courses = item_table(
    "courses",
    COURSE,
    c("owner_id", Uuid, null=True),
    ForeignKeyConstraint(["owner_id"], ["organisations.id"]),
    Index(None, "owner_id"),
    c("code"),
    c("edition", Integer),
    c("title_native"),
    c("title_latin"),
    c("credits", Numeric),
    c("hours", Integer, null=True),
    c("kind"),
    one_of("kind", COURSE_KINDS),
    CheckConstraint("credits >= 0", name="credits_not_negative"),
    Index(
        "courses_one_of_code",
        "institution_id",
        "code",
        "edition",
        unique=True,
        postgresql_where=text("owner_id IS NULL AND state <> 'voided'"),
    ),
    Index(
        "courses_one_of_partners_code",
        "institution_id",
        "owner_id",
        "code",
        "edition",
        unique=True,
        postgresql_where=text("owner_id IS NOT NULL AND state <> 'voided'"),
    ),
    stream="institution_id",
)
