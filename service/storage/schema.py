"""Every table, imported in one place: what migrations, walls and the tests over the catalogue look at."""

from service.storage.tables import institutions, recognition, record, trainees
from service.storage.tables.columns import LIFECYCLES, metadata

__all__ = ["LIFECYCLES", "institutions", "metadata", "recognition", "record", "trainees"]
