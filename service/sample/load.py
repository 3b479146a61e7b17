"""The sample world goes into an empty service: an institution, the people and organisations around it, and accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias
from uuid import UUID

from pydantic_core import from_json, to_json

from service.actions import institutions, relationships, trainees
from service.actions.work import Call, Result, Services, Subject, Wanted, Work, perform
from service.domain.accounts import GRANTABLE, OF_ORGANISATION, OF_PERSON
from service.domain.actors import Role
from service.domain.lifecycle import Given
from service.domain.relationships import Organisation
from service.domain.trainees import Guardian, Mrz
from service.sample.organisations import AGENCIES, COLLEGES, ENTERPRISES, PARTNERS
from service.sample.people import people
from service.storage.institutions import trusted_admin

PASSWORD = "sojourn sample password"  # noqa: S105 - printed at every start, for data that are nobody's
SEED = 20260901
SEXES = {"F": "female", "M": "male"}

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being made, how much of it is there, and how much there will be."""


@dataclass(frozen=True, slots=True)
class SampleAccount:
    """Somebody of the sample world who may sign in."""

    role: str
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class SampleWorld:
    """What to show of a sample world: who may sign in, and what a coordinator may look at first."""

    institution: UUID
    name: str
    password: str
    accounts: tuple[SampleAccount, ...]
    calls: tuple[str, ...]


async def load(services: Services, *, progress: Progress) -> SampleWorld:
    """Make the sample world in an empty service; every move of it is made by the actions, none is inserted."""
    college = COLLEGES[0]
    progress("institution", 0, 1)
    home = await institutions.found(
        services,
        name_native=college.name_native,
        name_latin=college.name_latin,
        country=college.country,
        time_zone=college.time_zone,
    )
    progress("institution", 1, 1)
    organisations = await _organisations(services, home, progress)
    person = await _a_minor(services, home)
    accounts = []
    for n, role in enumerate(GRANTABLE):
        progress("accounts", n, len(GRANTABLE))
        more: dict[str, Any] = {}
        if role in OF_ORGANISATION:
            more["organisation_id"] = organisations[role]
        if role in OF_PERSON:
            more["person_ids"] = (person,)
        account = SampleAccount(role, f"{role}@haiyue.example.org", f"Sample {role}")
        await institutions.appoint(services, home, email=account.email, name=account.name, roles=[role], **more)
        await institutions.set_password(services, account.email, PASSWORD)
        accounts.append(account)
    progress("accounts", len(GRANTABLE), len(GRANTABLE))
    calls = ("/v1/trainees?limit=3", "/v1/relationships?include=actions&limit=1")
    return SampleWorld(home, college.name_latin, PASSWORD, tuple(accounts), calls)


async def _born(
    services: Services, home: UUID, subject: Subject[Any], action: str, given: Given, extra: Mapping[str, Any]
) -> dict[str, UUID]:
    """Something new by its own action; the ids of all that came with it."""

    def answer(_work: Work, results: list[Result]) -> bytes:
        return to_json(results[0].created)

    call = Call(home, f"sample_{subject.plural}", trusted=trusted_admin())
    done = await perform(services, call, subject, action, [Wanted(home)], given, answer=answer, extra=extra)
    return {name: UUID(made) for name, made in from_json(done.body).items()}


async def _organisations(services: Services, home: UUID, progress: Progress) -> dict[Role, UUID]:
    enterprise, agency, partner = ENTERPRISES[0], AGENCIES[0], PARTNERS[0]
    identities = {
        Role.ENTERPRISE: Organisation(
            kind="enterprise",
            name_native=enterprise.name_native,
            name_latin=enterprise.name_latin,
            country=enterprise.country,
            time_zone=enterprise.time_zone,
            chinese_funded=enterprise.chinese_funded,
        ),
        Role.AGENCY: Organisation(
            kind="agency",
            name_native=agency.name_native,
            name_latin=agency.name_latin,
            country="CN",
            time_zone="Asia/Shanghai",
        ),
        Role.PARTNER: Organisation(
            kind="partner_institution",
            name_native=partner.name_native,
            name_latin=partner.name_latin,
            country=partner.country,
            time_zone=partner.time_zone,
        ),
    }
    found = {}
    for n, (role, identity) in enumerate(identities.items()):
        progress("organisations", n, len(identities))
        given: Given = {"organisation": identity, "role": identity.kind}
        made = await _born(services, home, relationships.SUBJECT, "record", given, {"organisation_id": None})
        found[role] = made["organisation"]
    progress("organisations", len(identities), len(identities))
    return found


async def _a_minor(services: Services, home: UUID) -> UUID:
    """Somebody who has a guardian, so that every role has an account."""
    person = next(p for p in islice(people(SEED, 3000), 3000) if p.guardian is not None and p.nationality == "CN")
    guardian = person.guardian
    given: Given = {
        "name_native": person.name_native,
        "name_latin": person.name_latin,
        "sex": SEXES[person.sex],
        "birth_on": person.birth_on,
        "nationality": person.nationality,
        "email": person.email,
        "phone": person.phone,
        "passport_mrz": Mrz(line1=person.mrz[0], line2=person.mrz[1]),
        "guardian": guardian and Guardian(name=guardian.name_latin, relation=guardian.relation, phone=guardian.phone),
    }
    made = await _born(services, home, trainees.SUBJECT, "register", given, {"unit_id": None})
    return made["trainee"]
