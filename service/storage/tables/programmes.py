"""Programmes, and their curricula in versions."""

from sqlalchemy import Boolean, Index, Integer, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.programmes import PROGRAMME, PROGRAMME_KINDS
from service.storage.tables.columns import WRITTEN_ONCE, belongs, c, instant, item_table, one_of, refers, tenant_table

programmes = item_table(
    "programmes",
    PROGRAMME,
    c("code"),
    c("title_native"),
    c("title_latin"),
    c("kind"),
    c("level", Integer),
    c("field"),
    c("stages", JSONB),
    c("languages", JSONB),
    c("certificates", ARRAY(Text)),
    one_of("kind", PROGRAMME_KINDS),
    Index("programmes_one_of_code", "institution_id", "code", unique=True, postgresql_where=text("state <> 'voided'")),
    stream="id",
)
curricula = tenant_table(
    "curricula",
    c("programme_id", Uuid),
    c("no", Integer),
    instant("set_at"),
    refers("programme_id", "programmes"),
    UniqueConstraint("institution_id", "programme_id", "no"),
)
curriculum_courses = tenant_table(
    "curriculum_courses",
    c("curriculum_id", Uuid),
    *belongs("course_id", "courses"),
    c("stage", Integer),
    c("required", Boolean),
    refers("curriculum_id", "curricula"),
    key=("curriculum_id", "course_id"),
)
WRITTEN_ONCE.update({"curricula", "curriculum_courses"})
