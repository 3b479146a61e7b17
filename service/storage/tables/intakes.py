"""Intakes of programmes, and the places of their plans by source."""

from sqlalchemy import CheckConstraint, Date, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.intakes import INTAKE, SOURCE_KINDS
from service.storage.tables.columns import belongs, c, item_table, one_of, refers, tenant_table

intakes = item_table(
    "intakes",
    INTAKE,
    *belongs("programme_id", "programmes"),
    c("code"),
    c("opens_on", Date),
    c("closes_on", Date),
    c("starts_on", Date),
    c("level_least", Integer, null=True),
    c("age_least", Integer, null=True),
    c("age_most", Integer, null=True),
    c("nationalities", ARRAY(Text)),
    c("languages", JSONB),
    c("documents", ARRAY(Text)),
    c("plan_authority", null=True),
    c("plan_number", null=True),
    c("plan_version", null=True),
    CheckConstraint("opens_on <= closes_on AND closes_on <= starts_on", name="dates_in_order"),
    Index("intakes_one_of_code", "institution_id", "code", unique=True, postgresql_where=text("state <> 'voided'")),
    Index("intakes_by_dates", "institution_id", "state", "closes_on"),
    stream="id",
)
intake_quotas = tenant_table(
    "intake_quotas",
    c("intake_id", Uuid),
    c("source"),
    c("kind"),
    c("places", Integer),
    c("taken", Integer),
    refers("intake_id", "intakes"),
    one_of("kind", SOURCE_KINDS),
    CheckConstraint("taken >= 0 AND taken <= places", name="taken_within_places"),
    key=("intake_id", "source"),
)
