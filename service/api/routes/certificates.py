"""Certificates over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from service.actions.certificates import SUBJECT, open_number
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Birth, Resource, routes_of
from service.api.schemas.certificates import CertificateOut, NumberOut
from service.api.schemas.trainees import PurposeIn
from service.storage.certificates import VIEW

RESOURCE = Resource(
    SUBJECT,
    VIEW,
    CertificateOut,
    policy="certificates.read",
    tag="certificates",
    births={"record": Birth("person_id", extra=("document_id",), summary="Record a certificate")},
    summaries={"edit": "Change a certificate that nobody verified yet"},
)


async def _number(asked: Asked) -> Response:
    return respond(
        await open_number(asked.services, asked.call, asked.id, asked.body.purpose),
        headers={"cache-control": "no-store"},
    )


def routes() -> list[Operations]:
    """Every operation of the capability."""
    more = Operations("certificates")
    more.add(
        Operation(
            "POST",
            "/certificates/{id}/number",
            "certificates_open_number",
            "Open the number of a certificate for a purpose",
            _number,
            "read",
            "certificates.open_sealed",
            NumberOut,
            PurposeIn,
        )
    )
    return [more, routes_of(RESOURCE)]
