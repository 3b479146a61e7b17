"""What somebody owes by a day: each opened once by its rule, for its subject, event and period."""

from sqlalchemy import Date, ForeignKeyConstraint, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from service.domain.obligations import OBLIGATION, SUBJECT_KINDS
from service.storage.tables.columns import belongs, c, item_table, one_of

obligations = item_table(
    "obligations",
    OBLIGATION,
    c("stream_id", Uuid),
    c("subject_kind"),
    c("subject_id", Uuid),
    *belongs("person_id", "trainees", null=True),
    c("organisation_id", Uuid, null=True),
    ForeignKeyConstraint(["organisation_id"], ["organisations.id"]),
    Index(None, "organisation_id"),
    c("rule"),
    c("pin"),
    c("event"),
    c("period"),
    c("event_on", Date),
    c("due_on", Date, null=True),
    c("zone"),
    c("owed_by", ARRAY(Text)),
    c("documents", ARRAY(Uuid)),
    c("done_on", Date, null=True),
    one_of("subject_kind", SUBJECT_KINDS),
    Index(
        "obligations_once",
        "institution_id",
        "subject_id",
        "rule",
        "pin",
        "event",
        "period",
        unique=True,
        postgresql_where=text("state <> 'voided'"),
    ),
    Index(
        "obligations_by_due",
        "institution_id",
        text("coalesce(due_on, 'infinity'::date)"),
        "id",
        postgresql_where=text("state = 'pending'"),
    ),
    stream="stream_id",
)
