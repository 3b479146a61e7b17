"""Routes: parse, call, return. Every capability's routes, in the order of the document."""

from service.api.operations import Operations
from service.api.routes import accounts, institutions, public, relationships, trainees

CAPABILITIES = (public, accounts, institutions, relationships, trainees)


def routers() -> list[Operations]:
    """Every router."""
    return [router for capability in CAPABILITIES for router in capability.routes()]
