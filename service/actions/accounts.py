"""Accounts: signing in, invitations, appointments, keys for machines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from service.actions.reading import item, who_asks
from service.actions.work import (
    Answer,
    Call,
    Item,
    Missing,
    Result,
    Services,
    Subject,
    Unauthenticated,
    Wanted,
    Work,
    perform,
)
from service.domain.accounts import APPOINTMENT
from service.domain.actors import SIGHTS, Actor, Role, Sight
from service.domain.lifecycle import Given, Reason, Refused, Step
from service.storage import accounts as stored
from service.storage.database import attempt
from service.storage.ids import uuid7
from service.storage.tables import institutions as tables

SESSION = timedelta(hours=12)
INVITATION = timedelta(days=7)


@lru_cache(maxsize=1)
def hasher() -> PasswordHash:
    """Argon2id with the parameters that OWASP gives first."""
    return PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1),))


_HASHING = ThreadPoolExecutor(2, "hashing")
"""Few, for each takes 19 MiB and a core."""


async def hash_password(password: str) -> str:
    """The password's hash, made in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_HASHING, hasher().hash, password)


async def _matches(password: str, kept: str | None) -> bool:
    """Compare in a thread; an account without a password takes as long as one with."""
    fits = await asyncio.get_running_loop().run_in_executor(_HASHING, _verify, password, kept)
    return fits and kept is not None


def _verify(password: str, kept: str | None) -> bool:
    return hasher().verify(password, kept if kept is not None else _nobody())


@lru_cache(maxsize=1)
def _nobody() -> str:
    return hasher().hash("nobody's password")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun."""

    appointment: stored.Appointment
    expires_at: datetime


def _choose(found: Sequence[stored.Appointment], institution: UUID | None, role: Role | None) -> stored.Appointment:
    fitting = [
        a
        for a in found
        if (institution is None or a.institution_id == institution) and (role is None or role in a.roles)
    ]
    if not fitting:
        raise Unauthenticated
    if len(fitting) > 1:
        choices = [
            {"institution": str(a.institution_id), "name": a.institution_name, "roles": list(a.roles)} for a in fitting
        ]
        raise Refused([Reason("choose_institution", required=choices, pointer="/institution")])
    return fitting[0]


async def sign_in(
    services: Services,
    email: str,
    password: str,
    make_digest: Any,
    institution: UUID | None = None,
    role: Role | None = None,
    *,
    address: str = "",
) -> SignedIn:
    """A session of one institution for whoever knows the password.

    `make_digest(institution, sight)` makes the token and gives the digest to keep. Wrong passwords are counted for the
    e-mail address and where they came from, whether such an account exists or not.

    Raises:
        TooSoon: too many were wrong.
        Unauthenticated: no such account, password or appointment; they look alike.
        Refused: the account has several appointments and named none.
    """
    guesser = (address, email.strip().lower())
    services.guesses.check(guesser)
    account = await stored.account_by_email(services.database, email)
    if not await _matches(password, account.password_hash if account else None) or account is None or account.disabled:
        services.guesses.take(guesser)
        raise Unauthenticated
    chosen = _choose(await stored.appointments_of(services.database, account.id), institution, role)
    return await _begin(services, chosen, make_digest)


async def _begin(services: Services, chosen: stored.Appointment, make_digest: Any) -> SignedIn:
    digest = make_digest(chosen.institution_id, Sight(chosen.sight))

    async def once(_: int) -> datetime:
        return await stored.keep_session(services.database, chosen, digest, SESSION)

    return SignedIn(chosen, await attempt(once))


async def sign_out(services: Services, call: Call) -> None:
    """The session ends now."""
    await stored.revoke(services.database, call.institution, call.token)


async def accept_invitation(services: Services, secret_digest: bytes, password: str) -> None:
    """A first password, or a new one after a reset; the link works once, and every older session ends.

    Raises:
        Missing: the link is unknown, used or too old.
    """
    hashed = await hash_password(password)
    if not await stored.use_invitation(services.database, secret_digest, hashed):
        raise Missing


async def change_password(services: Services, call: Call, password: str, new_password: str) -> None:
    """A new password by the old one; every session of the account ends, this one too.

    Raises:
        Refused: the old password is another one.
        TooSoon: too many were wrong.
    """
    actor = await who_asks(services, call)
    services.guesses.check(actor.account_id)
    kept = await stored.password_of(services.database, actor.account_id)
    if not await _matches(password, kept):
        services.guesses.take(actor.account_id)
        raise Refused([Reason("password_known", pointer="/password")])
    await stored.keep_password(services.database, actor.account_id, await hash_password(new_password))


# ---- appointments: what an account is to an institution
def appoint(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Roles for an account, new or known; a new one is invited."""
    roles: list[Role] = [Role(r) for r in given["roles"]]
    account_id, new = item.dossier.account_id, item.dossier.account_id is None
    if account_id is None:
        account_id = uuid7()
        work.writes.row(
            tables.accounts,
            item.stream,
            id=account_id,
            kind="person",
            email=given["email"].strip().lower(),
            name=given["name"],
            locale=given.get("locale") or "en",
            created_at=work.now,
            made_by=work.call.institution,
        )
    elif item.dossier.becomes_shared:
        work.writes.row(tables.shared_accounts, item.stream, account_id=account_id)
    digest: bytes | None = given.get("invitation_digest")
    # The link sets the password of the account everywhere: only whoever made it, or holds the machine, is given one.
    if digest is not None and (new or (work.call.trusted is not None and not item.dossier.has_password)):
        _keep_link(work, item.stream, account_id, digest, "invitation")
    work.created["account"] = account_id
    return {
        "account_id": account_id,
        "sight": SIGHTS[roles[0]].value,
        "roles": sorted(roles),
        "organisation_id": given.get("organisation_id"),
        "person_ids": list(given.get("person_ids") or ()),
        "unit_ids": list(given.get("unit_ids") or ()),
        "event_data": {"account_id": account_id, "roles": sorted(roles)},
    }


def _keep_link(work: Work, stream: UUID, account: UUID, digest: bytes, purpose: str) -> None:
    until = work.now + INVITATION
    work.writes.row(
        tables.invitations, stream, digest=digest, account_id=account, purpose=purpose, expires_at=until
    )  # fmt: skip


def reset(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """A link with which whoever lost the password sets another; the old one holds until then."""
    _keep_link(work, item.stream, item.dossier.account_id, given["invitation_digest"], "reset")
    return {}


def make_key(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """A key with which a machine does what the account may; only its digest is kept."""
    until = work.now + given["lasts"]
    work.writes.row(
        tables.credentials,
        item.stream,
        digest=given["digest"],
        id=given["key_id"],
        kind="key",
        sight=SIGHTS[Role(item.dossier.roles[0])].value,
        appointment_id=item.id,
        name=given["name"],
        created_at=work.now,
        expires_at=until,
    )
    return {"event_data": {"key_id": given["key_id"], "expires_at": until}}


def revoke_key(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The key is worth nothing from the next request on."""
    work.writes.change(tables.credentials, item.stream, id=given["key_id"], revoked_at=work.now)
    return {"event_data": {"key_id": given["key_id"]}}


def change(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Other roles, of the same sight; they hold for the next request."""
    columns: dict[str, Any] = {name: list(given[name]) for name in ("person_ids", "unit_ids") if name in given}
    if "roles" in given:
        columns["roles"] = sorted(given["roles"])
    return columns | {"event_data": {"fields": sorted(columns)}}


def end(work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """The appointment is over; its sessions and keys with it."""
    return {"ended_at": work.now}


SUBJECT: Subject[Any] = Subject(
    "appointments",
    APPOINTMENT,
    tables.appointments,
    stored.FACTS,
    births={"appoint": stored.NEW_FACTS},
    effects={
        "appoint": appoint,
        "edit": change,
        "reset": reset,
        "make_key": make_key,
        "revoke_key": revoke_key,
        "end": end,
    },
    kind="account",
)


# ---- keys of machines
@dataclass(frozen=True, slots=True)
class Key:
    """A key that was made: `expires_at` is an instant in UTC."""

    id: UUID
    expires_at: datetime


async def issue_key(
    services: Services, call: Call, actor: Actor, appointment: UUID, *, digest: bytes, name: str, lasts: timedelta
) -> Key:
    """A key for an appointment, for an actor who may make one.

    Raises:
        Missing: no such appointment.
        Refused: it has ended.
    """
    made: list[Key] = []

    def answer(work: Work, _results: list[Result]) -> bytes:
        made.append(Key(given["key_id"], work.now + lasts))
        return b""

    given: Given = {"key_id": uuid7(), "digest": digest, "name": name, "lasts": lasts}
    await _by(services, call, actor, "make_key", appointment, given, answer)
    return made[-1]


async def withdraw_key(services: Services, call: Call, actor: Actor, key: UUID) -> None:
    """The key is revoked, by an actor who may.

    Raises:
        Missing: no such key.
        Refused: it was revoked before.
    """
    held = await item(services, call, stored.KEYS, "keys.read", key)
    await _by(services, call, actor, "revoke_key", held["appointment_id"], {"key_id": key}, lambda _w, _r: b"")


async def _by(
    services: Services, call: Call, actor: Actor, action: str, appointment: UUID, given: Given, answer: Answer
) -> None:
    # A key is shown once, so there is no answer to keep; who asks was found by the call's own token.
    known = replace(call, trusted=actor, key="")
    await perform(services, known, SUBJECT, action, [Wanted(appointment)], given, answer=answer)
