"""What the moves of a certificate leave behind; opening its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from service.actions import reading
from service.actions.reading import records
from service.actions.trainees import note_opening
from service.actions.work import Call, Item, Missing, Services, Subject, Work
from service.domain.certificates import CERTIFICATE, DESCRIBED, CertificateDossier, NewCertificate, outcome_of
from service.domain.languages import Held, Outcome, Purpose, Verdict, valid_for
from service.domain.lifecycle import Given, Step
from service.storage import certificates as stored
from service.storage.language_tests import language_tests
from service.storage.tables import certificates as tables
from service.storage.vault import Sealed

PLAIN = tuple(t.name for t in DESCRIBED if t.name != "number")
FREE_TEXT = ("form", "issuer", "field", "paper", "level", "section_scores")
"""What the events do not repeat: somebody typed it."""


def columns_of(
    work: Work, person: UUID, test: str | None, given: Given, about: CertificateDossier | NewCertificate
) -> dict[str, Any]:
    """The columns of what was typed in: what it derives, and its number sealed."""
    columns = {name: given[name] for name in PLAIN if name in given}
    if (read := outcome_of(about, given)) is not None:
        if "level" in given:
            columns["level_named"] = given["level"]
        derived = {name: getattr(read, name) for name in ("paper", "level", "cefr", "passed")}
        columns |= derived | {"scheme": read.version, "total_score": read.total}
    if number := given.get("number"):
        columns["number_sealed"] = work.seal(person, number, "certificate_number")
        if test is not None:  # only within one test is a number one certificate's
            columns["number_index"] = work.vault.blind_index("certificate", work.call.institution, f"{test}:{number}")
    return columns


def record(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The certificate as it was read, its number sealed, under the account that typed it."""
    columns = columns_of(work, item.stream, given.get("test"), given, item.dossier)
    said = {name: value for name, value in columns.items() if name in PLAIN and name not in FREE_TEXT}
    own = {"section_scores": {}, "kind": given["kind"], "recorded_by": work.actor.account_id, "edited_by": ()}
    return own | columns | {"event_data": said | {"kind": given["kind"]}}


def edit(work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Other values, before anybody verified them; whoever typed them does not verify them either."""
    columns = columns_of(work, item.stream, item.dossier.test, given, item.dossier)
    fields = sorted({name for name in ("number", *PLAIN) if name in given})
    editors = sorted({*item.dossier.edited_by, work.actor.account_id})
    return columns | {"edited_by": editors, "event_data": {"fields": fields}}


def verify(work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Who saw the scan or the issuer's answer."""
    return {"verified_by": work.actor.account_id}


def undo_verify(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """Nobody has verified it."""
    return {"verified_by": None}


def end(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """Why it counts no longer."""
    return {"ended_because": given["reason_code"]}


def undo_end(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """It counts as before."""
    return {"ended_because": None}


SUBJECT: Subject[Any] = Subject(
    "certificates",
    CERTIFICATE,
    tables.certificates,
    stored.FACTS,
    births={"record": stored.NEW_FACTS, "edit": stored.EDIT_FACTS},
    effects={"record": record, "edit": edit, "verify": verify, "reject": end, "revoke": end},
    undo={"verify": undo_verify, "reject": undo_end, "revoke": undo_end},
)


async def open_number(services: Services, call: Call, certificate: UUID, purpose: str) -> dict[str, Any]:
    """The number, for a stated purpose; who opened it is on record before it is shown.

    Raises:
        Missing: no certificate that the actor sees, or the person's key was forgotten.
    """
    actor, found = await records(
        services, call, stored.number_of(call.eyes), "certificates.open_sealed", by_id=certificate
    )
    row = found[0]
    if row["id"] is None or row["wrapped"] is None:
        raise Missing
    person = row["person_id"]
    await note_opening(services, call, person, actor, "certificate_number", purpose)
    key = services.vault.stream_key(row["wrapped"], call.institution, person)
    if row["number_sealed"] is None:
        return {"id": certificate, "number": None}
    try:
        number = key.open(row["number_sealed"], call.institution, person, "certificate_number")
    except Sealed:
        raise Missing from None
    return {"id": certificate, "number": number}


@dataclass(frozen=True, slots=True)
class Judged:
    """A certificate's validity for a purpose on a day, and how its level was read; nothing is known of one unseen."""

    id: UUID
    on: date | None = None
    verified: bool = False
    verdict: Verdict | None = None
    outcome: Outcome | None = None


async def validity(
    services: Services, call: Call, ids: Sequence[UUID], purpose: Purpose, on: date | None
) -> list[Judged]:
    """Each certificate in the order asked for, judged on the day, or today where none is named."""
    found = await reading.page(
        services, call, stored.VALIDITY, "certificates.read", filters={"ids": list(ids)}, limit=len(ids)
    )
    book, rows = language_tests(), {row["id"]: row for row in found.items}
    judged = []
    for certificate in ids:
        if (row := rows.get(certificate)) is None:
            judged.append(Judged(certificate))
            continue
        day = on or row["today"]
        days = {name: row[name] for name in ("taken_on", "result_on", "issued_on", "valid_until")}
        held = Held(
            state=row["state"], test=row["test"], level=row["level"], passed=row["passed"],
            sections=row["section_scores"], **days,
        )  # fmt: skip
        dossier = CertificateDossier(
            state=row["state"], today=row["today"], tests=book, test=row["test"], paper=row["paper"],
            level_named=row["level_named"], total_score=row["total_score"],
            section_scores=row["section_scores"], **days,
        )  # fmt: skip
        verdict = valid_for(book, held, purpose, day)
        judged.append(Judged(certificate, day, row["state"] == "verified", verdict, outcome_of(dossier, {})))
    return judged
