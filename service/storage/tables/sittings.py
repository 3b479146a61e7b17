"""Sittings of language tests, and who is registered for them."""

from sqlalchemy import CheckConstraint, Date, Index, Integer, Numeric, text

from service.domain.sittings import HOLDS, SAT_AS_SITTINGS, SITTING, SITTING_REGISTRATION
from service.storage.tables.columns import belongs, c, item_table, one_of

_HOLDS = "state IN ({})".format(", ".join(f"'{s}'" for s in sorted(HOLDS)))

sittings = item_table(
    "sittings",
    SITTING,
    c("test"),
    c("level", null=True),
    c("place"),
    c("time_zone"),
    c("held_on", Date),
    c("register_until", Date),
    c("places", Integer),
    c("taken", Integer),
    c("fee", Numeric(14, 4), null=True),
    c("currency", null=True),
    one_of("test", SAT_AS_SITTINGS),
    CheckConstraint("taken BETWEEN 0 AND places", name="places"),
    CheckConstraint("register_until <= held_on", name="days"),
    CheckConstraint("fee IS NULL OR (fee >= 0 AND currency IS NOT NULL)", name="fee"),
    Index("sittings_by_day", "institution_id", "test", "held_on"),
    stream="id",
)
sitting_registrations = item_table(
    "sitting_registrations",
    SITTING_REGISTRATION,
    *belongs("person_id", "trainees"),
    *belongs("sitting_id", "sittings"),
    *belongs("certificate_id", "certificates", null=True),
    c("admission_no", null=True),
    c("ended_because", null=True),
    Index(
        "sitting_registrations_one_live",
        "institution_id",
        "sitting_id",
        "person_id",
        unique=True,
        postgresql_where=text(_HOLDS),
    ),
    Index(
        "sitting_registrations_one_of_number",
        "institution_id",
        "sitting_id",
        "admission_no",
        unique=True,
        postgresql_where=text(_HOLDS),
    ),
)
