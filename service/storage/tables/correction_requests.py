"""What people say is wrong in what is kept of them; their words are sealed under their own key."""

from sqlalchemy import Date, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from service.domain.correction_requests import CORRECTION_REQUEST, SUBJECTS
from service.storage.tables.columns import belongs, c, item_table, one_of

correction_requests = item_table(
    "correction_requests",
    CORRECTION_REQUEST,
    *belongs("person_id", "trainees"),
    c("subject"),
    c("subject_id", Uuid),
    c("field", null=True),
    c("said_sealed", LargeBinary),
    c("documents", ARRAY(Uuid)),
    c("filed_on", Date),
    c("due_on", Date),
    c("rule"),
    c("corrected_by", Uuid, null=True),
    c("refused_because", Text, null=True),
    one_of("subject", SUBJECTS),
    Index(
        "correction_requests_one_open",
        "institution_id",
        "subject_id",
        text("coalesce(field, '')"),
        unique=True,
        postgresql_where=text("state IN ('filed', 'accepted')"),
    ),
)
