"""People who come in mid-way from old sheets: what a row says of somebody, and the steps by which they are taken there.

Each step is an ordinary act of its lifecycle, declared: recorded now for the day of the sheet, by the rules that keep
places, seats and persons; what no paper proves yet is owed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from service.actions import applications, candidacies, certificates, enrolments, placements, trainees, training
from service.actions.imports.cells import Faulty, read_data, reader_of
from service.actions.imports.chains import Doing
from service.actions.imports.people import People
from service.actions.imports.rows import Cell, Entry, Outcome
from service.actions.work import Subject
from service.domain.certificates import CERTIFICATE_KINDS, TESTS
from service.domain.enrolments import FEES
from service.domain.enrolments import LEAVE as LEAVES
from service.domain.lifecycle import Reason
from service.domain.requirements import LINE
from service.storage.database import Table, attempt
from service.storage.imports import There, intakes_by_code, known_by
from service.storage.tables.candidacies import candidacies as candidacy_table
from service.storage.tables.enrolments import enrolments as enrolment_table
from service.storage.tables.training import memberships as membership_table

Said = Mapping[str, Any]
LINE_TEXT = Annotated[str, "line"]
STAGES_MOST: Final = 12
_DAYS: Final = (
    "selected_on", "enrolled_on", "stage_on", "leave_from", "leave_until", "completed_on", "class_joined_on",
    "attending_on", "certificate_taken_on", "certificate_issued_on", *[f"{s}_on" for s in LINE],
    "authorisation_from_on", "authorisation_until_on", "visa_from_on", "visa_until_on",
)  # fmt: skip
_CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "fee": FEES,
    "leave_reason": tuple(LEAVES[2].choices),
    "certificate_kind": CERTIFICATE_KINDS,
    "certificate_test": tuple(TESTS),
}
WAY: Final[Mapping[str, Any]] = {
    **{name: date for name in _DAYS if name != "contracting_on"},
    "contracted_on": date,
    **dict.fromkeys(_CHOICES, str),
    **dict.fromkeys(("intake", "source", "certificate_level", "certificate_number"), LINE_TEXT),
    **dict.fromkeys(("intake_id", "class_id", "request_id"), UUID),
    "stage": int,
}
"""What a row says beside the person, and the types of it."""
_CALLED = read_data("imports", "adoption.json").get("values", {})
READERS: Final = {name: reader_of(kind, _CHOICES.get(name), _CALLED.get(name, {})) for name, kind in WAY.items()}


@dataclass(frozen=True, slots=True)
class Slot:
    """One step of the way: `given` is what it takes, or None where the row does not go there.

    `anchor` is what it is done with or born of (None is the institution), `column` where a reason that points to no
    input is shown, `asks` what its facts must be asked by.
    """

    subject: Subject[Any]
    action: str
    anchor: str | None
    column: str
    given: Callable[[Doing], dict[str, Any] | None]
    asks: Callable[[dict[str, Any], Doing], dict[str, Any]] = lambda _given, _doing: {}
    makes: str | None = None


def _known(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _register(d: Doing) -> dict[str, Any] | None:
    return dict(d.person) if "person" not in d.ids else None


def _certificate(d: Doing) -> dict[str, Any] | None:
    said = {n.removeprefix("certificate_"): v for n, v in d.way.items() if n.startswith("certificate_")}
    return said or None


def _application(d: Doing) -> dict[str, Any] | None:
    if "intake_id" not in d.way:
        return None
    on = d.way.get("selected_on") or d.way.get("enrolled_on")
    return _known(intake_id=d.way["intake_id"], source=d.way.get("source"), occurred_on=on)


def _enrol(d: Doing) -> dict[str, Any] | None:
    if "enrolment" not in d.ids or "enrolled_on" not in d.way:
        return None
    return _known(fee=d.way.get("fee"), occurred_on=d.way["enrolled_on"])


def _advance(after: int) -> Callable[[Doing], dict[str, Any] | None]:
    def given(d: Doing) -> dict[str, Any] | None:
        if "enrolment" not in d.ids or d.way.get("stage", 1) <= after or "enrolled_on" not in d.way:
            return None
        return _known(occurred_on=d.way.get("stage_on") or d.way["enrolled_on"])

    return given


def _leave(d: Doing) -> dict[str, Any] | None:
    if "enrolment" not in d.ids or "leave_from" not in d.way:
        return None
    said = {n: d.way.get(n) for n in ("leave_from", "leave_until")}
    return _known(**said, occurred_on=d.way["leave_from"], reason_code=d.way.get("leave_reason"))


def _complete(d: Doing) -> dict[str, Any] | None:
    return {"occurred_on": d.way["completed_on"]} if "enrolment" in d.ids and "completed_on" in d.way else None


def _membership(d: Doing) -> dict[str, Any] | None:
    if "class_id" not in d.way:
        return None
    on = d.way.get("class_joined_on") or d.way.get("attending_on")
    return _known(class_id=d.way["class_id"], occurred_on=on)


def _attend(d: Doing) -> dict[str, Any] | None:
    return {"occurred_on": d.way["attending_on"]} if "membership" in d.ids and "attending_on" in d.way else None


def _candidacy(d: Doing) -> dict[str, Any] | None:
    return _known(occurred_on=d.way.get("contracted_on")) if "request_id" in d.way else None


def _stage(stage: str) -> Callable[[Doing], dict[str, Any] | None]:
    """A stage of the pack, on its day or on that of a later one that the sheet names."""
    later = LINE[LINE.index(stage) :]

    def given(d: Doing) -> dict[str, Any] | None:
        on = next((d.way[f"{s}_on"] for s in later if f"{s}_on" in d.way), None)
        if "placement" not in d.ids or stage not in d.stages or on is None:
            return None
        said: dict[str, Any] = {"occurred_on": on}
        if stage == "ready":
            said["arrives_on"] = d.way.get("arrived_on") or d.way.get("departed_on") or on
        windows = {"visa": "authorisation", "pre_departure": "visa"}
        if stage in windows:
            said |= _known(**{n: d.way.get(n) for n in (f"{windows[stage]}_from_on", f"{windows[stage]}_until_on")})
        return said

    return given


_STEPS: Final = {
    "documents": "collect_documents", "authorisation": "apply_authorisation", "visa": "apply_visa",
    "pre_departure": "prepare_departure", "ready": "clear", "departed": "depart", "arrived": "arrive",
    "active": "start_work",
}  # fmt: skip
FORTH: Final[tuple[Slot, ...]] = (
    Slot(trainees.SUBJECT, "register", None, "name_native", _register, lambda *_: {"unit_id": None}, "person"),
    Slot(certificates.SUBJECT, "record", "person", "certificate_kind", _certificate,
         lambda g, _: {n: g.get(n) for n in certificates.SUBJECT.births["record"].extra}, "certificate"),
    Slot(applications.SUBJECT, "adopt", "person", "intake", _application,
         lambda g, _: {"intake_id": g["intake_id"], "source": g.get("source")}, "application"),
    Slot(enrolments.SUBJECT, "enrol", "enrolment", "enrolled_on", _enrol),
    *[Slot(enrolments.SUBJECT, "advance_stage", "enrolment", "stage", _advance(n)) for n in range(1, STAGES_MOST)],
    Slot(enrolments.SUBJECT, "take_leave", "enrolment", "leave_from", _leave),
    Slot(enrolments.SUBJECT, "complete", "enrolment", "completed_on", _complete),
    Slot(training.MEMBERSHIPS, "register", "person", "class_id", _membership,
         lambda g, _: {"class_id": g["class_id"]}, "membership"),
    Slot(training.MEMBERSHIPS, "attend", "membership", "attending_on", _attend),
    Slot(candidacies.SUBJECT, "adopt", "person", "request_id", _candidacy,
         lambda _, d: {"request_id": d.way["request_id"], "transfer_of": None}, "candidacy"),
    *[Slot(placements.SUBJECT, action, "placement", f"{stage}_on", _stage(stage)) for stage, action in _STEPS.items()],
)  # fmt: skip
"""The way in, in the order in which one step stands on another."""


def _there(name: str, **given: Any) -> Callable[[Doing], dict[str, Any] | None]:
    return lambda d: dict(given) if name in d.ids else None


BACK: Final[tuple[Slot, ...]] = (
    Slot(placements.SUBJECT, "void", "placement", "request_id", _there("placement")),
    Slot(training.MEMBERSHIPS, "void", "membership", "class_id", _there("membership")),
    Slot(enrolments.SUBJECT, "void", "enrolment", "intake", _there("enrolment")),
    Slot(applications.SUBJECT, "void", "application", "intake", _there("application")),
    Slot(certificates.SUBJECT, "correct", "certificate", "certificate_kind",
         _there("certificate", note="import taken back")),
    Slot(trainees.SUBJECT, "take_back", "registered", "name_native", _there("registered")),
)  # fmt: skip
"""The way out again, the last step first."""


# ---- reading
@dataclass(slots=True)
class Adopting:
    """The rows of one sheet: of each the person, and how far they are."""

    people: People
    keys: frozenset[str] = frozenset({"student_no", "mrz", "mrz_line1", "mrz_line2", "identity_no"})

    def header(self, name: str) -> str:
        """The header of a field as the sheet writes it."""
        return self.people.header(name)

    def read(self, line: int, cells: Mapping[str, Cell]) -> Entry:
        """What a row says of a person, and of where they are."""
        entry = self.people.read(line, {n: c for n, c in cells.items() if n not in WAY})
        way: dict[str, Any] = {}
        for name in WAY.keys() & cells.keys():
            try:
                understood = READERS[name](cells[name], self.people.phone_country)
            except Faulty as no:
                entry.fault(self.header(name), no.reason)
                entry.wrong.add(name)
                continue
            way[name] = understood.value
            if understood.remark is not None:
                entry.remark(self.header(name), understood.remark)
        entry.given = {"person": entry.given, "way": way}
        return entry

    def remember(self, entries: Sequence[Entry]) -> None:
        """Rows that were taken in before: later ones may not say the same."""
        for entry in entries:
            self.people.first_lines |= {
                key: entry.line for key in entry.keys.items() if key not in self.people.first_lines
            }

    async def settle(self, entries: Sequence[Entry]) -> None:
        """Who of them is on record, and where they are already."""
        await self.people.settle(entries)
        codes = {e.given["way"]["intake"] for e in entries if "intake" in e.given["way"]}
        database, institution = self.people.services.database, self.people.call.institution
        intakes = await attempt(lambda _: intakes_by_code(database, institution, codes)) if codes else {}
        for entry in entries:
            code = entry.given["way"].pop("intake", None)
            if code in intakes:
                entry.given["way"]["intake_id"] = intakes[code]
            elif code is not None:
                entry.fault(self.header("intake"), Reason("intake_known"))
        await self._drop_known([e for e in entries if e.outcome is Outcome.THERE])

    async def _drop_known(self, entries: Sequence[Entry]) -> None:
        """What somebody on record has already is left as it is; who has all of it, whole."""
        anchors = list({e.person for e in entries})
        for table, name, parts in (
            (enrolment_table, "intake_id", OF_ENROLMENT),
            (membership_table, "class_id", OF_MEMBERSHIP),
            (candidacy_table, "request_id", OF_PLACEMENT),
        ):
            named = [e for e in entries if name in e.given["way"]]
            known = await self._known(table, name, anchors) if named else {}
            for entry in named:
                if (entry.person, (entry.given["way"][name],)) in known:
                    entry.given["way"] = {n: v for n, v in entry.given["way"].items() if n not in parts}
        for entry in entries:
            rest = any(n in entry.given["way"] for n in ("intake_id", "class_id", "request_id"))
            entry.outcome, entry.item = (Outcome.CREATE, None) if rest else (Outcome.UNCHANGED, entry.person)

    async def _known(self, table: Table, name: str, people: list[Any]) -> Mapping[Any, There]:
        where = self.people.call.institution
        return await attempt(
            lambda _: known_by(self.people.services.database, where, table, "person_id", people, (name,))
        )

    def blame(self, entry: Entry, reasons: Sequence[Reason]) -> None:
        """What the rules say against a row, at the column that its pointer names."""
        for reason in reasons:
            entry.fault(self.header((reason.pointer or "/").split("/")[1]), reason)


OF_ENROLMENT: Final = frozenset(
    {"intake_id", "source", "selected_on", "enrolled_on", "fee", "stage", "stage_on", "leave_from", "leave_until",
     "leave_reason", "completed_on"}
)  # fmt: skip
OF_MEMBERSHIP: Final = frozenset({"class_id", "class_joined_on", "attending_on"})
OF_PLACEMENT: Final = frozenset(
    {"request_id", "contracted_on", "authorisation_from_on", "authorisation_until_on", "visa_from_on", "visa_until_on"}
    | {f"{s}_on" for s in LINE}
)


def missing(known: Collection[str]) -> list[str]:
    """A sheet has something by which people are known, and says where some of them are."""
    has = set(known)
    keyed = has & {"student_no", "mrz"} or {"mrz_line1", "mrz_line2"} <= has
    somewhere = has & {"intake", "class_id", "request_id"}
    return ([] if keyed else ["student_no"]) + ([] if somewhere else ["intake"])


__all__ = ["BACK", "FORTH", "WAY", "Adopting", "Slot", "missing"]
