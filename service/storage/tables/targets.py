"""Targets by year and destination."""

from sqlalchemy import CheckConstraint, Index, Integer, text

from service.domain.targets import TARGET
from service.storage.tables.columns import c, item_table

targets = item_table(
    "targets",
    TARGET,
    c("year", Integer),
    c("destination"),
    c("number", Integer),
    CheckConstraint("number >= 0", name="number_not_negative"),
    Index(
        "targets_one_a_destination",
        "institution_id",
        "year",
        "destination",
        unique=True,
        postgresql_where=text("state = 'set'"),
    ),
    stream="institution_id",
)
