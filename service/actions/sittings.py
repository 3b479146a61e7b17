"""What the moves of sittings and registrations leave behind: places, and a certificate for each result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from service.actions.certificates import columns_of
from service.actions.work import Item, Subject, Work
from service.domain.certificates import CERTIFICATE, CertificateDossier
from service.domain.lifecycle import VOIDED, Given, Step
from service.domain.sittings import (
    SITTING,
    SITTING_CANCELLED,
    SITTING_REGISTRATION,
    NewRegistration,
    RegistrationDossier,
    SittingDossier,
    result_of,
    sat_in,
)
from service.storage import sittings as stored
from service.storage.tables import sittings as tables
from service.storage.tables.certificates import certificates

OWN = ("test", "level", "place", "time_zone", "held_on", "register_until", "places", "fee", "currency")


# ---- a sitting
def announce(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """A sitting with every place free."""
    columns = {name: given[name] for name in OWN if name in given}
    said = {name: columns.get(name) for name in ("test", "held_on", "register_until", "places")}
    return columns | {"taken": 0, "event_data": said}


def edit(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """New values; the event names the fields."""
    changed = {name: given[name] for name in OWN if name in given}
    return changed | {"event_data": {"fields": sorted(changed)}}


def cancel(work: Work, item: Item[SittingDossier], _step: Step, given: Given) -> dict[str, Any]:
    """Everybody who is registered is withdrawn, and every place given back."""
    for r in item.dossier.registered:
        data = {"sitting_id": item.id, "reason_code": SITTING_CANCELLED}
        work.follow(
            tables.sitting_registrations, "call_off", r.id, r.person_id, r.state, r.version,
            ended_because=SITTING_CANCELLED, data=data,
        )  # fmt: skip
    called_off = [r.id for r in item.dossier.registered]
    return {"taken": 0, "event_data": {"reason_code": given["reason_code"], "registrations": called_off}}


SITTINGS: Subject[Any] = Subject(
    "sittings",
    SITTING,
    tables.sittings,
    stored.FACTS,
    births={"announce": stored.NEW_FACTS},
    effects={"announce": announce, "edit": edit, "cancel": cancel},
    kind="sitting",
)


# ---- places
def _place(work: Work, sitting: UUID, by: int, registration: UUID) -> None:
    """A place taken or given back, with its event in the sitting's stream: only so does the sitting's head move."""
    work.writes.count(tables.sittings, sitting, {"id": sitting}, taken=by)
    work.record(
        sitting,
        None,
        type_="sitting.place_taken" if by > 0 else "sitting.place_freed",
        subject="sitting",
        subject_id=sitting,
        data={"registration_id": registration},
        main=False,
    )


def _adjust(dossier: Any, work: Work) -> Any:
    """The places that this same act has already taken are not free."""
    if isinstance(dossier, NewRegistration | RegistrationDossier) and dossier.sitting_id is not None:
        taken = work.counted(tables.sittings, {"id": dossier.sitting_id}, "taken")
        return replace(dossier, places_free=dossier.places_free - taken)
    return dossier


# ---- a registration
def register(work: Work, _item: Item[NewRegistration], _step: Step, given: Given) -> dict[str, Any]:
    """A place of the sitting."""
    sitting = given["sitting_id"]
    _place(work, sitting, +1, work.created[SITTING_REGISTRATION.name])
    return {"sitting_id": sitting, "admission_no": given.get("admission_no"), "event_data": {"sitting_id": sitting}}


def number(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The number of the admission ticket."""
    return {"admission_no": given["admission_no"], "event_data": {"fields": ["admission_no"]}}


def record_result(work: Work, item: Item[RegistrationDossier], step: Step, given: Given) -> dict[str, Any]:
    """A certificate under the account that loaded the result, for another to verify; none for who was absent."""
    r = item.dossier
    said = {"sitting_id": r.sitting_id, "outcome": step.to_state}
    if step.to_state == "absent":
        return {"event_data": said}
    read = result_of(r, given)
    about = CertificateDossier(state="", today=r.today, tests=r.tests)
    result = {name: given[name] for name in ("total_score", "section_scores", "result_on", "number") if name in given}
    stated = result | {"test": r.test, "paper": sat_in(r, given).paper, "taken_on": r.held_on}
    columns = columns_of(work, item.stream, r.test, stated, about)
    made = work.bear(
        certificates,
        CERTIFICATE,
        "receive",
        item.stream,
        data={"kind": "language", "test": r.test, "taken_on": r.held_on, "registration_id": item.id},
        **(
            {"section_scores": {}}
            | columns
            | {"kind": "language", "recorded_by": work.actor.account_id, "edited_by": ()}
        ),
    )
    level, cefr = (read.level, read.cefr) if read else (None, None)
    return {"certificate_id": made, "event_data": said | {"certificate_id": made, "level": level, "cefr": cefr}}


def take_result_back(work: Work, item: Item[RegistrationDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The certificate that it left is taken back with it."""
    r = item.dossier
    if r.certificate_id is not None and r.certificate_state is not None:
        back = Step(
            CERTIFICATE.name, "correct", r.certificate_state, VOIDED, "certificate.corrected",
            corrects=r.certificate_event,
        )  # fmt: skip
        work.move(certificates, back, r.certificate_id, item.stream, r.certificate_version, main=False)
    return {"certificate_id": None}


def withdraw(work: Work, item: Item[RegistrationDossier], _step: Step, given: Given) -> dict[str, Any]:
    """The place is free."""
    _place(work, item.dossier.sitting_id, -1, item.id)
    return {"ended_because": given["reason_code"]}


def give_place_back(work: Work, item: Item[RegistrationDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The place that a registration held, when it is taken back."""
    _place(work, item.dossier.sitting_id, -1, item.id)
    return {}


def take_place(work: Work, item: Item[RegistrationDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The registration holds a place again."""
    _place(work, item.dossier.sitting_id, +1, item.id)
    return {"ended_because": None}


REGISTRATIONS: Subject[Any] = Subject(
    "sitting_registrations",
    SITTING_REGISTRATION,
    tables.sitting_registrations,
    stored.REGISTRATION_FACTS,
    births={"register": stored.NEW_REGISTRATION},
    effects={"register": register, "edit": number, "record_result": record_result, "withdraw": withdraw},
    undo={"register": give_place_back, "record_result": take_result_back, "withdraw": take_place},
    adjust=_adjust,
)
