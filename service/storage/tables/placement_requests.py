"""What enterprises ask for: placement requests, and the seats that they hold."""

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKeyConstraint, Index, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.placement_requests import PLACEMENT_REQUEST
from service.storage.tables.columns import belongs, c, item_table

placement_requests = item_table(
    "placement_requests",
    PLACEMENT_REQUEST,
    c("organisation_id", Uuid),
    ForeignKeyConstraint(["organisation_id"], ["organisations.id"]),
    Index(None, "organisation_id"),
    *belongs("relationship_id", "relationships"),
    c("agency_id", Uuid, null=True),
    ForeignKeyConstraint(["agency_id"], ["organisations.id"]),
    Index(None, "agency_id"),
    *belongs("agency_relationship_id", "relationships", null=True),
    c("title"),
    c("occupation"),
    c("field", null=True),
    c("destination"),
    c("pathway"),
    c("nationalities", ARRAY(Text)),
    c("seats", Integer),
    c("offered", Integer),
    c("taken", Integer),
    c("used", Integer),
    c("terms", JSONB),
    c("options", ARRAY(Text)),
    c("levels_asked", JSONB),
    c("no_fee_for_workers", Boolean),
    c("opens_on", Date, null=True),
    c("closes_on", Date, null=True),
    c("planned_departure_on", Date, null=True),
    c("starts_on", Date, null=True),
    c("ends_on", Date, null=True),
    c("changes", JSONB, null=True),
    CheckConstraint("seats >= 1", name="seats_some"),
    CheckConstraint("offered >= 0", name="offered_not_below"),
    CheckConstraint("taken >= 0", name="taken_not_below"),
    CheckConstraint("used >= 0", name="used_not_below"),
    CheckConstraint("offered + taken + used <= seats", name="seats_not_oversold"),
    Index("placement_requests_by_opening", "institution_id", "state", "opens_on"),
    Index("placement_requests_by_closing", "institution_id", "state", "closes_on"),
    stream="id",
)
