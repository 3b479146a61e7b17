"""Candidacies: a person for a request, from the first look to the offer and its answer."""

from sqlalchemy import Date, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.domain.candidacies import CANDIDACY
from service.domain.journey import LIVE
from service.storage.tables.columns import belongs, c, instant, item_table

_LIVE = ", ".join(f"'{s}'" for s in sorted(LIVE["candidacy"]))

candidacies = item_table(
    "candidacies",
    CANDIDACY,
    *belongs("person_id", "trainees"),
    *belongs("request_id", "placement_requests"),
    *belongs("consent_id", "consents", null=True),
    c("pins", ARRAY(Text), null=True),
    c("rank", Integer, null=True),
    c("interview", JSONB, null=True),
    c("assessment", JSONB, null=True),
    c("terms", JSONB, null=True),
    c("differences", ARRAY(Text), null=True),
    c("offered_on", Date, null=True),
    instant("offer_ends_at", null=True),
    instant("lapses_at", null=True),
    c("placement_id", Uuid, null=True),
    c("transfer_of", Uuid, null=True),
    c("critical_on", Date, null=True),
    c("late_on", Date, null=True),
    Index(
        "candidacies_one_live",
        "institution_id",
        "person_id",
        "request_id",
        unique=True,
        postgresql_where=text(f"state IN ({_LIVE})"),
    ),
    Index(
        "candidacies_one_accepted",
        "institution_id",
        "person_id",
        unique=True,
        postgresql_where=text("state = 'accepted'"),
    ),
    Index("candidacies_by_critical", "institution_id", "critical_on", postgresql_where=text("critical_on IS NOT NULL")),
    Index("candidacies_by_lapse", "institution_id", "lapses_at", postgresql_where=text("state = 'offered'")),
)
