"""Certificates of a person, their numbers sealed."""

from sqlalchemy import Boolean, Date, Index, LargeBinary, Numeric, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.certificates import CERTIFICATE, CERTIFICATE_KINDS, TESTS
from service.domain.languages import CEFR
from service.storage.tables.columns import belongs, c, item_table, one_of

certificates = item_table(
    "certificates",
    CERTIFICATE,
    *belongs("person_id", "trainees"),
    c("kind"),
    c("test", null=True),
    c("form", null=True),
    c("issuer", null=True),
    c("field", null=True),
    c("scheme", null=True),
    c("paper", null=True),
    c("level_named", null=True),
    c("level", null=True),
    c("cefr", null=True),
    c("passed", Boolean, null=True),
    c("total_score", Numeric(10, 4), null=True),
    c("section_scores", JSONB),
    c("taken_on", Date, null=True),
    c("result_on", Date, null=True),
    c("issued_on", Date, null=True),
    c("valid_until", Date, null=True),
    c("number_sealed", LargeBinary, null=True),
    c("number_index", LargeBinary, null=True),
    *belongs("document_id", "documents", null=True),
    c("recorded_by", Uuid),
    c("edited_by", ARRAY(Uuid)),
    c("verified_by", Uuid, null=True),
    c("ended_because", null=True),
    one_of("kind", CERTIFICATE_KINDS),
    one_of("test", TESTS),
    one_of("cefr", CEFR),
    Index(
        "certificates_one_of_number",
        "institution_id",
        "number_index",
        unique=True,
        postgresql_where=text("state IN ('recorded', 'verified')"),
    ),
)
