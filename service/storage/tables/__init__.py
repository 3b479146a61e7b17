"""The schema. Every key of a tenant's table begins with the institution; what all tenants share is named in SHARED."""

from service.storage.tables.columns import SHARED, metadata

__all__ = ["SHARED", "metadata"]
