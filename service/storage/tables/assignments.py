"""Whose care a person is in, and who stands in from when to when."""

from sqlalchemy import CheckConstraint, Date, ForeignKeyConstraint, Index, Uuid, text

from service.domain.assignments import ASSIGNMENT
from service.storage.tables.columns import belongs, c, item_table

assignments = item_table(
    "assignments",
    ASSIGNMENT,
    *belongs("person_id", "trainees"),
    c("coordinator_id", Uuid),
    ForeignKeyConstraint(["coordinator_id"], ["accounts.id"]),
    Index(None, "coordinator_id"),
    c("deputy_id", Uuid, null=True),
    ForeignKeyConstraint(["deputy_id"], ["accounts.id"]),
    Index(None, "deputy_id"),
    c("deputy_from_on", Date, null=True),
    c("deputy_until_on", Date, null=True),
    CheckConstraint("deputy_from_on <= deputy_until_on", name="deputy_in_order"),
    Index(
        "assignments_one_live",
        "institution_id",
        "person_id",
        unique=True,
        postgresql_where=text("state = 'assigned'"),
    ),
)
