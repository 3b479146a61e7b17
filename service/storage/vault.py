"""Sealing: AES-256-GCM with a key id and bound data, a key per stream, blind indexes, digests of tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
KEY = 32


class Sealed(Exception):
    """The bytes cannot be opened with the keys at hand."""


def bound(*parts: object) -> bytes:
    """Associated data: what a sealed value belongs to, so that it cannot be moved elsewhere."""
    return b"\x1f".join(str(p).encode() for p in parts)


def digest(*parts: bytes) -> bytes:
    """SHA-256 of the parts, kept apart."""
    return hashlib.sha256(b"".join(len(p).to_bytes(8) + p for p in parts)).digest()


@dataclass(frozen=True, slots=True)
class StreamKey:
    """The key of one stream: forgetting its wrapped form erases what it sealed."""

    key: bytes

    def seal(self, text: str, *belongs_to: object) -> bytes:
        """The text, readable only with this key and for what it belongs to."""
        nonce = os.urandom(NONCE)
        return nonce + AESGCM(self.key).encrypt(nonce, text.encode(), bound(*belongs_to))

    def open(self, sealed: bytes, *belongs_to: object) -> str:
        """The text again.

        Raises:
            Sealed: another key, another owner, or changed bytes.
        """
        try:
            return AESGCM(self.key).decrypt(sealed[:NONCE], sealed[NONCE:], bound(*belongs_to)).decode()
        except InvalidTag as error:
            raise Sealed from error


class Vault:
    """The master keys: the first seals, all open."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        if not keys or any(len(k) != KEY for k in keys.values()):
            raise ValueError("a vault needs at least one key of 32 bytes")
        self._keys = keys
        self.current = next(iter(keys))
        self._index_key = hashlib.sha256(b"blind index" + keys[min(keys)]).digest()

    @classmethod
    def parse(cls, written: str) -> Vault:
        """Keys as `id:base64,id:base64`, the current one first."""
        pairs = [part.split(":", 1) for part in written.split(",") if part.strip()]
        return cls({name.strip(): base64.b64decode(value) for name, value in pairs})

    @staticmethod
    def written() -> str:
        """A new key, as `parse` reads it."""
        return "k1:" + base64.b64encode(os.urandom(KEY)).decode()

    def seal(self, value: bytes, *belongs_to: object) -> bytes:
        """The bytes under the current master key, its id in front."""
        nonce, name = os.urandom(NONCE), self.current.encode()
        return (
            bytes([len(name)])
            + name
            + nonce
            + AESGCM(self._keys[self.current]).encrypt(nonce, value, bound(*belongs_to))
        )

    def open(self, sealed: bytes, *belongs_to: object) -> bytes:
        """The bytes again.

        Raises:
            Sealed: no such key, another owner, or changed bytes.
        """
        size = sealed[0]
        name, nonce, rest = sealed[1 : 1 + size].decode(), sealed[1 + size : 13 + size], sealed[13 + size :]
        try:
            return AESGCM(self._keys[name]).decrypt(nonce, rest, bound(*belongs_to))
        except (InvalidTag, KeyError) as error:
            raise Sealed from error

    def new_stream_key(self, institution: object, stream: object) -> tuple[StreamKey, bytes]:
        """A key for a stream, and its wrapped form to keep."""
        key = os.urandom(32)
        return StreamKey(key), self.seal(key, institution, stream)

    def stream_key(self, wrapped: bytes, institution: object, stream: object) -> StreamKey:
        """The key of a stream from its wrapped form."""
        return StreamKey(self.open(wrapped, institution, stream))

    def blind_index(self, kind: str, institution: object, value: str) -> bytes:
        """The same for the same value in the same institution, and telling nothing: for look-up and uniqueness."""
        return hmac.digest(self._index_key, bound(kind, institution, value.strip().upper()), "sha256")
