"""Institutions, accounts and keys from the command line: for whoever holds the machine itself."""

from __future__ import annotations

import secrets
import sys
from datetime import timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

import typer

from service.actions import institutions as acting
from service.actions.accounts import INVITATION, issue_key, withdraw_key
from service.actions.work import Call, Missing, Services
from service.api.tokens import digest_of, make_token
from service.cli.words import fail, out, say, table, with_services
from service.domain.accounts import GRANTABLE
from service.domain.actors import Role, Sight
from service.domain.lifecycle import Refused
from service.domain.values import COUNTRIES
from service.launch import Trouble
from service.storage import accounts as stored
from service.storage.institutions import trusted_admin

PASSWORD_LEAST = 12
PASSWORD_MOST = 200

institutions = typer.Typer(help="The institutions that this service serves.", no_args_is_help=True)
accounts = typer.Typer(help="People who may sign in, and what they are to an institution.", no_args_is_help=True)
keys = typer.Typer(help="Keys with which machines call the API.", no_args_is_help=True)

Home = Annotated[
    UUID | None, typer.Option(help="The institution's id (sojourn institution list); needed where there are several.")
]
Email = Annotated[str, typer.Argument(help="The address by which the account signs in.")]


async def _home(services: Services, named: UUID | None) -> UUID:
    """The institution that is meant.

    Raises:
        Trouble: none was named and there is not exactly one, or there is none of that id.
    """
    known = await stored.institutions_known(services.database)
    if named is not None:
        if named not in {i for i, _ in known}:
            raise Trouble("There is no such institution.", "See `sojourn institution list`.")
        return named
    if len(known) == 1:
        return known[0][0]
    if not known:
        raise Trouble("There is no institution yet.", "Found one: sojourn institution found --help")
    raise Trouble("There are several institutions.", "Name one by --institution: see `sojourn institution list`.")


# Institutions ------------------------------------------------------------------------------------------------------


@institutions.command("found")
def found(
    name_native: Annotated[str, typer.Argument(help="Its name in its own script.")],
    name_latin: Annotated[str, typer.Argument(help="Its name in Latin script.")],
    country: Annotated[str, typer.Option(help="Its country: two letters (ISO 3166-1), such as CN.")],
    time_zone: Annotated[str, typer.Option(help="Its time zone, such as Asia/Shanghai.")],
) -> None:
    """Found an institution: a college whose people the service follows."""
    if country not in COUNTRIES:
        fail(f"{country} is not a country's code.", "Two letters of ISO 3166-1, such as CN.")
    if time_zone not in available_timezones():
        fail(f"{time_zone} is not a time zone.", "A name of the IANA list, such as Asia/Shanghai.")

    async def do(services: Services) -> UUID:
        return await acting.found(
            services, name_native=name_native, name_latin=name_latin, country=country, time_zone=time_zone
        )

    say(f"Founded {name_latin}: {with_services(do)}")


@institutions.command("list")
def list_institutions() -> None:
    """List the institutions."""

    async def do(services: Services) -> list[tuple[UUID, str]]:
        return await stored.institutions_known(services.database)

    made = table("id", "name")
    for identity, name in with_services(do):
        made.add_row(str(identity), name)
    out.print(made)


# Accounts ----------------------------------------------------------------------------------------------------------


def _tell_invitation(secret: str) -> None:
    say("Whoever has this secret sets the password, once, within seven days:")
    say(f"  {secret}")
    say('by POST /v1/invitations/accept with {"secret": ..., "password": ...}')


@accounts.command("appoint")
def appoint(
    email: Email,
    role: Annotated[
        list[str], typer.Option(help=f"What they are to the institution; may be repeated: {', '.join(GRANTABLE)}.")
    ],
    name: Annotated[str, typer.Option(help="Their name.")],
    institution: Home = None,
    organisation: Annotated[
        UUID | None, typer.Option(help="For enterprises, agencies and partners: the id of whose people they are.")
    ] = None,
    person: Annotated[
        list[UUID] | None, typer.Option(help="For trainees and guardians: the ids of the trainees.")
    ] = None,
) -> None:
    """Give an account roles at an institution; a new account is created, and a secret to set its password is shown."""
    unknown = sorted(set(role) - {r.value for r in GRANTABLE})
    if unknown:
        fail(f"There is no role called {unknown[0]}.", f"There are: {', '.join(GRANTABLE)}.")
    secret = secrets.token_urlsafe(32)

    async def do(services: Services) -> bool:
        home = await _home(services, institution)
        before = await stored.account_by_email(services.database, email)
        await acting.appoint(
            services,
            home,
            email=email,
            name=name,
            roles=[Role(r) for r in role],
            digest=digest_of(secret),
            organisation_id=organisation,
            person_ids=tuple(person or ()),
        )
        return before is not None and before.password_hash is not None

    has_password = with_services(do)
    say(f"{email} is appointed: {', '.join(role)}.")
    if has_password:
        say("They sign in with the password that they have.")
    else:
        _tell_invitation(secret)


@accounts.command("invite")
def invite(email: Email) -> None:
    """Show a new secret with which the account's password can be set; it works once."""
    secret = secrets.token_urlsafe(32)

    async def do(services: Services) -> bool:
        return await stored.keep_reset(services.database, email, digest_of(secret), INVITATION)

    if not with_services(do):
        fail("There is no account with this address.", "Appoint them first: sojourn account appoint --help")
    _tell_invitation(secret)


@accounts.command("password")
def set_password(email: Email) -> None:
    """Set an account's password; it is asked for, or read from the standard input."""
    if sys.stdin.isatty():
        password = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        fail("The password is too short or too long.", f"From {PASSWORD_LEAST} to {PASSWORD_MOST} characters.")

    async def do(services: Services) -> bool:
        return await acting.set_password(services, email, password)

    if not with_services(do):
        fail("There is no account with this address.", "Appoint them first: sojourn account appoint --help")
    say("The password is set.")


@accounts.command("list")
def list_accounts(email: Annotated[str, typer.Argument(help="The address of one account.")]) -> None:
    """Show what an account is to each institution."""

    async def do(services: Services) -> list[stored.Appointment] | None:
        account = await stored.account_by_email(services.database, email)
        return None if account is None else await stored.appointments_of(services.database, account.id)

    appointed = with_services(do)
    if appointed is None:
        fail("There is no account with this address.", "Appoint them first: sojourn account appoint --help")
    made = table("institution", "roles", "appointment")
    for each in appointed:
        made.add_row(each.institution_name, ", ".join(each.roles), str(each.id))
    out.print(made)


# Keys --------------------------------------------------------------------------------------------------------------


def _trusted(home: UUID) -> Call:
    return Call(home, "key", trusted=trusted_admin())


@keys.command("make")
def make_key(
    email: Email,
    name: Annotated[str, typer.Option(help="What the key is for, such as the name of the system that uses it.")],
    role: Annotated[str | None, typer.Option(help="With several appointments: the one with this role.")] = None,
    institution: Home = None,
    days: Annotated[int, typer.Option(min=1, max=730, help="For how many days it works.")] = 365,
) -> None:
    """Make a key that may do what the account may; it is shown this once."""

    async def do(services: Services) -> tuple[UUID, str]:
        home = await _home(services, institution)
        account = await stored.account_by_email(services.database, email)
        held = await stored.appointments_of(services.database, account.id) if account else []
        fitting = [a for a in held if a.institution_id == home and (role is None or role in a.roles)]
        if len(fitting) != 1:
            raise Trouble(
                "The account has no such appointment." if not fitting else "The account has several appointments.",
                "See `sojourn account list EMAIL`, and name one by --institution and --role.",
            )
        token, digest = make_token(home, Sight(fitting[0].sight))
        call, who, lasts = _trusted(home), trusted_admin(), timedelta(days=days)
        made = await issue_key(services, call, who, fitting[0].id, digest=digest, name=name, lasts=lasts)
        return made.id, token

    identity, token = with_services(do)
    say(f"Key {identity}, for {days} days. It is shown this once:")
    say(f"  {token}")


@keys.command("revoke")
def revoke_key(
    key: Annotated[UUID, typer.Argument(help="The key's id, as it was shown when the key was made.")],
    institution: Home = None,
) -> None:
    """Revoke a key: it is worth nothing from the next request on."""

    async def do(services: Services) -> bool:
        call = _trusted(await _home(services, institution))
        try:
            await withdraw_key(services, call, trusted_admin(), key)
        except (Missing, Refused):
            return False
        return True

    if not with_services(do):
        fail("There is no live key with this id.", "GET /v1/keys lists them.")
    say("The key is revoked.")
