"""A person as an institution knows them: the record, documents as evidence, consents."""

from sqlalchemy import (
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.consents import CONSENT, PURPOSES
from service.domain.documents import DOCUMENT, DOCUMENT_KINDS
from service.domain.trainees import TRAINEE_RECORD
from service.storage.tables.columns import belongs, c, instant, item_table, one_of

trainees = item_table(
    "trainees",
    TRAINEE_RECORD,
    c("name_native"),
    c("name_latin"),
    c("sort_name", Text(collation="C")),
    c("sex", null=True),
    c("birth_on", Date, null=True),
    c("nationality"),
    *belongs("unit_id", "units", null=True),
    c("origin", null=True),
    c("email", null=True),
    c("phone", null=True),
    c("language"),
    c("passport_sealed", LargeBinary, null=True),
    c("passport_index", LargeBinary, null=True),
    c("passport_country", null=True),
    c("passport_expires_on", Date, null=True),
    c("identity_sealed", LargeBinary, null=True),
    c("identity_index", LargeBinary, null=True),
    c("guardian_sealed", LargeBinary, null=True),
    c("available_from", Date, null=True),
    c("available_until", Date, null=True),
    instant("erased_at", null=True),
    c("erasure_asked_on", Date, null=True),
    c("erasure_asked_by", Uuid, null=True),
    one_of("sex", ["female", "male", "other"]),
    UniqueConstraint("institution_id", "passport_index"),
    UniqueConstraint("institution_id", "identity_index"),
    Index("trainees_by_name", "institution_id", "sort_name", "id"),
    Index(
        "trainees_available",
        "institution_id",
        "available_until",
        postgresql_where=text("available_until IS NOT NULL"),
    ),
    stream="id",
)
documents = item_table(
    "documents",
    DOCUMENT,
    c("stream_id", Uuid),
    *belongs("person_id", "trainees", null=True),
    c("kind"),
    c("title"),
    c("media_type"),
    c("size", Integer),
    c("sha256", LargeBinary),
    c("content_id", Uuid),
    c("uploaded_by", Uuid),
    Index("documents_by_uploader", "institution_id", "uploaded_by"),
    one_of("kind", DOCUMENT_KINDS),
    stream="stream_id",
)
consents = item_table(
    "consents",
    CONSENT,
    *belongs("person_id", "trainees"),
    c("purpose"),
    c("recipient_id", Uuid, null=True),
    ForeignKeyConstraint(["recipient_id"], ["organisations.id"]),
    Index(None, "recipient_id"),
    c("fields", ARRAY(Text)),
    c("notice", JSONB),
    c("given_on", Date, null=True),
    c("ends_on", Date, null=True),
    one_of("purpose", PURPOSES),
)
