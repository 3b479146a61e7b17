"""Bearer tokens as they travel: they name one institution and whose eyes they are; the rest is a secret."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from service.actions.work import Unauthenticated
from service.domain.actors import Sight

PREFIX = "sj"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it came: only the digest of its secret is compared, in the database, by equality of digests."""

    institution: UUID
    sight: Sight
    digest: bytes


def digest_of(secret: str) -> bytes:
    """What is kept of a secret. 256 random bits need no slow hash."""
    return hashlib.sha256(b"sojourn token\0" + secret.encode()).digest()


def make_token(institution: UUID, sight: Sight) -> tuple[str, bytes]:
    """A new token, and the digest to keep."""
    secret = secrets.token_urlsafe(32)
    named = base64.urlsafe_b64encode(institution.bytes).decode().rstrip("=")
    return f"{PREFIX}_{sight.value}_{named}.{secret}", digest_of(secret)


def read_token(authorization: str) -> Token:
    """The token of an Authorization header.

    Raises:
        Unauthenticated: it is none of ours.
    """
    scheme, _, written = authorization.partition(" ")
    named, _, secret = written.strip().partition(".")
    parts = named.split("_", 2)
    if scheme.lower() != "bearer" or len(parts) != 3 or parts[0] != PREFIX or not secret or len(written) > 200:  # noqa: PLR2004
        raise Unauthenticated
    try:
        return Token(UUID(bytes=base64.urlsafe_b64decode(parts[2] + "==")), Sight(parts[1]), digest_of(secret))
    except (ValueError, binascii.Error):
        raise Unauthenticated from None
