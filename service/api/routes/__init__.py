"""Routes: parse, call, return. Every capability's routes, in the order of the document."""

from service.api.operations import Operations
from service.api.routes import accounts, consents, documents, institutions, public, recognition, relationships, results, trainees

CAPABILITIES = (public, accounts, institutions, relationships, trainees, documents, consents, results, recognition)


def routers() -> list[Operations]:
    """Every router."""
    return [router for capability in CAPABILITIES for router in capability.routes()]
