"""What is sealed opens for what it belongs to, and nowhere else."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.storage.vault import Sealed, Vault


def test_sealed_value_cannot_be_moved_to_another_owner() -> None:
    vault, institution, person, other = Vault.parse(Vault.written()), uuid4(), uuid4(), uuid4()
    sealed = vault.seal(b"E73940182", institution, person)
    assert vault.open(sealed, institution, person) == b"E73940182"
    key, wrapped = vault.new_stream_key(institution, person)
    passport = key.seal("E73940182", institution, person, "passport")
    assert vault.stream_key(wrapped, institution, person).open(passport, institution, person, "passport") == "E73940182"
    for owner in ((institution, other), (other, person), (institution,)):
        with pytest.raises(Sealed):
            vault.open(sealed, *owner)
        with pytest.raises(Sealed):
            vault.open(wrapped, *owner)
    for belongs_to in ((institution, other, "passport"), (institution, person, "guardian")):
        with pytest.raises(Sealed):
            key.open(passport, *belongs_to)
    with pytest.raises(Sealed):
        Vault.parse(Vault.written()).open(sealed, institution, person)
    with pytest.raises(Sealed):
        vault.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), institution, person)


def test_blind_index_tells_nothing_and_differs_from_place_to_place() -> None:
    vault, one, two = Vault.parse(Vault.written()), uuid4(), uuid4()
    found = [
        vault.blind_index("passport", one, "THA:E73940182"), vault.blind_index("passport", two, "THA:E73940182"),
        vault.blind_index("identity_no", one, "THA:E73940182"),
        Vault.parse(Vault.written()).blind_index("passport", one, "THA:E73940182"),
    ]  # fmt: skip
    assert len(set(found)) == 4
    assert found[0] == vault.blind_index("passport", one, " tha:e73940182 ")
    assert not any(b"E73940182" in f for f in found)
