"""Signing in, appointments, keys."""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json
from starlette.responses import Response

from service.actions import accounts, reading
from service.actions.work import Result, Wanted, Work, perform
from service.api.inputs import action_model
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.subjects import Resource, given_to, replied, routes_of
from service.api.schemas.accounts import (
    AppointedOut,
    AppointmentOut,
    InvitationIn,
    KeyIn,
    KeyMadeOut,
    KeysOut,
    MeOut,
    PasswordIn,
    SignInIn,
    TokenOut,
)
from service.api.schemas.common import Nothing
from service.api.tokens import digest_of, make_token
from service.domain.actors import SIGHTS, Role
from service.storage.accounts import KEYS, VIEW

RESOURCE = Resource(
    accounts.SUBJECT,
    VIEW,
    AppointmentOut,
    policy="accounts.read",
    tag="accounts",
    apart=("reset",),
    hidden=("make_key", "revoke_key"),
)


async def _sign_in(asked: Asked) -> Response:
    made: list[str] = []

    def digest(institution: UUID, sight: Any) -> bytes:
        token, kept = make_token(institution, sight)
        made.append(token)
        return kept

    body = asked.body
    client = asked.request.client
    begun = await accounts.sign_in(
        asked.services,
        body.email,
        body.password,
        digest,
        body.institution,
        body.role,
        address=client.host if client else "",
    )
    a = begun.appointment
    return respond(
        {
            "access_token": made[0],
            "token_type": "bearer",
            "expires_at": begun.expires_at,
            "institution": a.institution_id,
            "institution_name": a.institution_name,
            "roles": a.roles,
        },
        headers={"cache-control": "no-store"},
    )


async def _sign_out(asked: Asked) -> Response:
    await reading.who_asks(asked.services, asked.call)
    await accounts.sign_out(asked.services, asked.call)
    return respond({"done": True})


async def _accept(asked: Asked) -> Response:
    await accounts.accept_invitation(asked.services, digest_of(asked.body.secret), asked.body.password)
    return respond({"done": True})


async def _change_password(asked: Asked) -> Response:
    await accounts.change_password(asked.services, asked.call, asked.body.password, asked.body.new_password)
    return respond({"done": True})


async def _me(asked: Asked) -> Response:
    actor = await reading.who_asks(asked.services, asked.call)
    return respond(
        {
            "account_id": actor.account_id,
            "institution": asked.call.institution,
            "roles": sorted(actor.roles),
            "organisation_id": actor.organisation_id,
            "person_ids": actor.person_ids,
            "unit_ids": actor.unit_ids,
        }
    )


async def _appoint(asked: Asked) -> Response:
    secret = secrets.token_urlsafe(32)
    given = given_to(RESOURCE, "appoint", asked, asked.body) | {"invitation_digest": digest_of(secret)}
    extra = {
        "email": given["email"],
        "organisation_id": given.get("organisation_id"),
        "person_ids": list(given.get("person_ids") or ()),
    }

    done = await perform(
        asked.services,
        asked.call,
        accounts.SUBJECT,
        "appoint",
        [Wanted(asked.call.institution)],
        given,
        answer=partial(_with_secret, secret),
        extra=extra,
    )
    return replied(done, status=201, version=1)


def _with_secret(secret: str, work: Work, results: list[Result]) -> bytes:
    """What became of it, and the link's secret where one was made."""
    r = results[0]
    made = any(name == "invitations" for _, name, _ in work.writes.parts)
    return to_json(
        {
            "id": r.id,
            "state": r.state,
            "version": r.version,
            "action_id": work.action_id,
            "created": r.created,
            "invitation": secret if made else None,
        }
    )


async def _reset(asked: Asked) -> Response:
    secret = secrets.token_urlsafe(32)
    given = given_to(RESOURCE, "reset", asked, asked.body) | {"invitation_digest": digest_of(secret)}
    wanted = [Wanted(asked.id, asked.if_match)]
    done = await perform(
        asked.services, asked.call, accounts.SUBJECT, "reset", wanted, given, answer=partial(_with_secret, secret)
    )
    return replied(done, version=from_json(done.body)["version"])


async def _make_key(asked: Asked) -> Response:
    actor = await reading.who_asks(asked.services, asked.call)
    reading.check(actor, "keys.keep")
    row = await reading.item(asked.services, asked.call, VIEW, "accounts.read", asked.body.appointment_id)
    sight = SIGHTS[Role(row["roles"][0])]
    key, digest = make_token(asked.call.institution, sight)
    lasts = timedelta(days=asked.body.days)
    made = await accounts.issue_key(
        asked.services, asked.call, actor, row["id"], digest=digest, name=asked.body.name, lasts=lasts
    )
    return respond(
        {"id": made.id, "key": key, "expires_at": made.expires_at}, status=201, headers={"cache-control": "no-store"}
    )


async def _keys(asked: Asked) -> Response:
    found = await reading.page(asked.services, asked.call, KEYS, "keys.read", filters={"kind": "key"}, limit=200)
    return respond({"items": found.items})


async def _revoke_key(asked: Asked) -> Response:
    actor = await reading.who_asks(asked.services, asked.call)
    reading.check(actor, "keys.keep")
    await accounts.withdraw_key(asked.services, asked.call, actor, asked.id)
    return respond({"done": True})


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("accounts")
    o.add(Operation("POST", "/login", "login", "Sign in", _sign_in, "login", "public", TokenOut, SignInIn))
    o.add(
        Operation(
            "POST",
            "/logout",
            "logout",
            "Sign out: the token is worth nothing any more",
            _sign_out,
            "read",
            "me.read",
            Nothing,
        )
    )
    o.add(
        Operation(
            "POST",
            "/invitations/accept",
            "invitations_accept",
            "Set the first password, or a new one",
            _accept,
            "login",
            "public",
            Nothing,
            InvitationIn,
        )
    )
    o.add(
        Operation(
            "POST",
            "/me/password",
            "me_password",
            "Set a new password by the old one; every session ends",
            _change_password,
            "login",
            "me.read",
            Nothing,
            PasswordIn,
        )
    )
    o.add(Operation("GET", "/me", "me_get", "Who am I here", _me, "read", "me.read", MeOut))
    body = action_model(accounts.SUBJECT.lifecycle, "appoint")
    o.add(
        Operation(
            "POST",
            "/appointments",
            "appointments_create",
            "Appoint somebody and invite them",
            _appoint,
            "create",
            "lifecycle",
            AppointedOut,
            body,
            status=201,
            keyed=True,
        )
    )
    o.add(
        Operation(
            "POST",
            "/appointments/{id}/reset",
            "appointments_reset",
            "Make a link with which a lost password is set anew; it is shown once",
            _reset,
            "action",
            "lifecycle",
            AppointedOut,
            action_model(accounts.SUBJECT.lifecycle, "reset"),
            versioned=True,
            keyed=True,
        )
    )
    o.add(Operation("GET", "/keys", "keys_list", "List the keys of machines", _keys, "list", "keys.read", KeysOut))
    o.add(
        Operation(
            "POST",
            "/keys",
            "keys_create",
            "Make a key for a machine; it is shown once",
            _make_key,
            "login",
            "keys.keep",
            KeyMadeOut,
            KeyIn,
            status=201,
        )
    )
    o.add(
        Operation(
            "POST", "/keys/{id}/revoke", "keys_revoke", "Revoke a key", _revoke_key, "weigh", "keys.keep", Nothing
        )
    )
    return [o, routes_of(RESOURCE)]
