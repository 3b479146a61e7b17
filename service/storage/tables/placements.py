"""Placements with their dates, what requirement packs ask for as it was handed in, and who paid for what."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import SchemaItem

from service.domain.costs import COST, COST_TYPES, PAYERS, RECEIVERS
from service.domain.journey import LIVE
from service.domain.placements import AWAY, PLACEMENT
from service.domain.requirement_items import REQUIREMENT_ITEM, SUBJECT_KINDS
from service.storage.tables.columns import belongs, c, item_table, looked_at, one_of


def _day(name: str) -> Column[object]:
    return c(name, Date, null=True)


def _organisation(name: str, *, null: bool = False) -> list[SchemaItem]:
    return [c(name, Uuid, null=null), ForeignKeyConstraint([name], ["organisations.id"]), Index(None, name)]


_away = ", ".join(f"'{s}'" for s in AWAY)
_live = ", ".join(f"'{s}'" for s in sorted(LIVE["placement"]))

placements = item_table(
    "placements",
    PLACEMENT,
    *belongs("person_id", "trainees"),
    *belongs("request_id", "placement_requests"),
    *belongs("candidacy_id", "candidacies"),
    *_organisation("employer_id"),
    *_organisation("agency_id", null=True),
    c("destination"),
    c("pathway"),
    c("pins", ARRAY(Text)),
    c("stages", ARRAY(Text)),
    c("departs", Boolean),
    c("occupation", null=True),
    c("terms", JSONB),
    c("options", ARRAY(Text), null=True),
    c("agency_contract", null=True),
    _day("planned_departure_on"),
    _day("arrives_on"),
    _day("starts_on"),
    _day("ends_on"),
    _day("authorisation_from_on"),
    _day("authorisation_until_on"),
    _day("visa_from_on"),
    _day("visa_until_on"),
    _day("terms_confirmed_on"),
    c("flight", null=True),
    _day("departed_on"),
    _day("arrived_on"),
    _day("started_on"),
    _day("extension_until_on"),
    _day("last_contact_on"),
    _day("returns_on"),
    _day("returned_on"),
    _day("ended_on"),
    _day("critical_on"),
    _day("late_on"),
    c("wish", null=True),
    c("skills_sealed", LargeBinary, null=True),
    *looked_at("placements"),
    c("replaced", JSONB, null=True),
    CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
    CheckConstraint("visa_until_on >= visa_from_on", name="visa_in_order"),
    CheckConstraint("authorisation_until_on >= authorisation_from_on", name="authorisation_in_order"),
    Index(
        "placements_one_live",
        "institution_id",
        "person_id",
        unique=True,
        postgresql_where=text(f"state IN ({_live})"),
    ),
    Index("placements_by_critical", "institution_id", "critical_on", postgresql_where=text("critical_on IS NOT NULL")),
    Index(
        "placements_away",
        "institution_id",
        "destination",
        text("coalesce(agency_id, institution_id)"),
        postgresql_where=text(f"departs AND state IN ({_away})"),
    ),
    Index("placements_by_end", "institution_id", "ends_on", postgresql_where=text("state = 'active'")),
)
requirement_items = item_table(
    "requirement_items",
    REQUIREMENT_ITEM,
    c("stream_id", Uuid),
    c("subject_kind"),
    c("subject_id", Uuid),
    *belongs("person_id", "trainees", null=True),
    c("key"),
    _day("issued_on"),
    _day("valid_from"),
    _day("valid_until"),
    c("documents", ARRAY(Uuid)),
    c("value", JSONB),
    c("supplied_by", Uuid, null=True),
    c("waived_by", Uuid, null=True),
    c("waived_because", null=True),
    one_of("subject_kind", SUBJECT_KINDS),
    CheckConstraint("valid_until >= valid_from", name="valid_in_order"),
    Index(
        "requirement_items_one",
        "institution_id",
        "subject_id",
        "key",
        unique=True,
        postgresql_where=text("state <> 'voided'"),
    ),
    stream="stream_id",
)
costs = item_table(
    "costs",
    COST,
    *belongs("person_id", "trainees"),
    *belongs("placement_id", "placements", null=True),
    *belongs("candidacy_id", "candidacies", null=True),
    c("type"),
    c("amount", Numeric(14, 2)),
    c("currency"),
    c("payer"),
    c("receiver"),
    c("paid_on", Date),
    c("receipt_id", Uuid, null=True),
    one_of("type", COST_TYPES),
    one_of("payer", PAYERS),
    one_of("receiver", RECEIVERS),
    CheckConstraint("amount > 0", name="amount_positive"),
)
