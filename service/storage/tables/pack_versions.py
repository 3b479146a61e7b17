"""Versions of requirement packs that an institution loaded itself, each as its file was written."""

from sqlalchemy import CheckConstraint, Date, Index, Integer, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from service.domain.pack_versions import PACK_VERSION
from service.storage.tables.columns import c, item_table

pack_versions = item_table(
    "pack_versions",
    PACK_VERSION,
    c("key"),
    c("number", Integer),
    c("content", JSONB),
    c("rationale"),
    c("loaded_by", Uuid),
    c("from_on", Date, null=True),
    c("until_on", Date, null=True),
    CheckConstraint("state NOT IN ('adopted', 'retired') OR from_on IS NOT NULL", name="from_a_day"),
    Index(
        "pack_versions_one_of_number",
        "institution_id",
        "key",
        "number",
        unique=True,
        postgresql_where=text("state NOT IN ('voided', 'withdrawn')"),
    ),
    stream="institution_id",
)
