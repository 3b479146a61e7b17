"""Files that are taken in row by row: the import, and what became of each of its rows."""

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.imports import BLANKS, IMPORT, MODES, OUTCOMES
from service.storage.tables.columns import FORGETTABLE, belongs, c, item_table, one_of, tenant_table

COUNTED = ("staged", "creates", "updates", "unchanged", "faulty", "done", "undone")
"""Rows by what became of them: all that were read, the rest of which adds up; those applied; those taken back."""

imports = item_table(
    "imports",
    IMPORT,
    c("kind"),
    c("mode"),
    c("blanks"),
    c("source", null=True),
    c("mapping", JSONB),
    c("phone_country", null=True),
    c("content_id", Uuid),
    c("sha256", LargeBinary),
    c("size", Integer),
    c("headers", JSONB),
    c("ignored", ARRAY(Text)),
    c("trouble", JSONB, null=True),
    c("uploaded_by", Uuid),
    c("applied_by", Uuid, null=True),
    *[c(name, Integer) for name in COUNTED],
    one_of("mode", MODES),
    one_of("blanks", BLANKS),
    Index("imports_by_source", "institution_id", "kind", "source", "id"),
    Index("imports_by_state", "institution_id", "state"),
    stream="id",
)
import_rows = tenant_table(
    "import_rows",
    *belongs("import_id", "imports"),
    c("line", Integer),
    c("outcome"),
    c("item_id", Uuid, null=True),
    c("seen_version", BigInteger, null=True),
    c("left_version", BigInteger, null=True),
    c("codes", ARRAY(Text)),
    c("known_by", ARRAY(Text), null=True),  # whom it names, as blind indexes
    c("sealed", LargeBinary, null=True),
    one_of("outcome", OUTCOMES),
    UniqueConstraint("institution_id", "import_id", "line"),
    Index("import_rows_by_outcome", "institution_id", "import_id", "outcome", "line"),
)
FORGETTABLE.add("import_rows")
