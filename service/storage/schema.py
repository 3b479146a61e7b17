"""Every table, imported in one place: what migrations, walls and the tests over the catalogue look at."""

from service.storage.tables import institutions, placements, recognition, record, trainees
from service.storage.tables.columns import LIFECYCLES, metadata

__all__ = ["LIFECYCLES", "institutions", "metadata", "placements", "recognition", "record", "trainees"]
