"""What the moves of a placement request leave behind, and the seats that candidacies and placements hold of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from service.actions.timers import Timer
from service.actions.work import Item, Subject, Work
from service.domain.candidacies import CANDIDACY
from service.domain.lifecycle import Given, Step
from service.domain.placement_requests import PLACEMENT_REQUEST, RequestDossier, RequestSeats, left_with
from service.domain.placements import AT_HOME
from service.storage import placement_requests as stored
from service.storage.tables.candidacies import candidacies
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.placements import placements


# ---- seats: every way in takes one, every way out gives it back, once
@dataclass(slots=True)
class _Told:
    """What one act does to the seats of one request; written once, as one move or one count, with one event."""

    work: Work
    request: RequestSeats
    offered: int = 0
    taken: int = 0
    used: int = 0

    @property
    def left(self) -> RequestSeats:
        """The seats as this act leaves them."""
        return left_with(self.request, offered=self.offered, taken=self.taken, used=self.used)

    def __call__(self) -> None:
        """Write it: the request is filled by its last seat, and open again by one that comes back."""
        before, left = self.request, self.left
        moved = {"offered": self.offered, "taken": self.taken, "used": self.used}
        if not any(moved.values()):
            return
        data = moved | {"free": left.free}
        action = {("open", True): "fill", ("filled", False): "refill"}.get((before.state, left.full))
        if action is not None:
            self.work.follow(
                placement_requests, action, before.id, before.id, before.state, before.version,
                data=data, offered=left.offered, taken=left.taken, used=left.used,
            )  # fmt: skip
            return
        self.work.writes.count(
            placement_requests, before.id, {"id": before.id}, **{n: d for n, d in moved.items() if d}
        )
        self.work.record(
            before.id, None, type_="placement_request.seats_counted", subject=PLACEMENT_REQUEST.name,
            subject_id=before.id, data=data, main=False,
        )  # fmt: skip


def _tell(work: Work, request: RequestSeats, *, offered: int = 0, taken: int = 0, used: int = 0) -> None:
    told = work.later.setdefault(("seats", request.id), _Told(work, request))
    if not isinstance(told, _Told):
        raise TypeError("another thing is told under the name of the seats")
    told.offered, told.taken, told.used = told.offered + offered, told.taken + taken, told.used + used


def seats_now(work: Work, request: RequestSeats) -> RequestSeats:
    """The seats, with what this same act has already taken or given back."""
    told = work.later.get(("seats", request.id))
    return told.left if isinstance(told, _Told) else request


def reserve_seat(work: Work, request: RequestSeats) -> None:
    """A seat for an offer."""
    _tell(work, request, offered=1)


def release_seat(work: Work, request: RequestSeats) -> None:
    """The seat of an offer that has ended."""
    _tell(work, request, offered=-1)


def take_seat(work: Work, request: RequestSeats) -> None:
    """A seat for a placement; the one that its offer reserved is released beside it."""
    _tell(work, request, taken=1)


def free_seat(work: Work, request: RequestSeats) -> None:
    """The seat of a placement that was cancelled before anybody left."""
    _tell(work, request, taken=-1)


def use_up_seat(work: Work, request: RequestSeats) -> None:
    """From the departure on the seat is used up."""
    _tell(work, request, taken=-1, used=1)


def restore_seat(work: Work, request: RequestSeats) -> None:
    """A departure that did not happen: the seat is held by the placement again."""
    _tell(work, request, taken=1, used=-1)


# ---- the request itself
WRITTEN = (
    "title", "occupation", "field", "destination", "pathway", "seats", "no_fee_for_workers", "opens_on", "closes_on",
    "planned_departure_on", "starts_on", "ends_on", "terms", "levels_asked",
)  # fmt: skip
LISTS = ("nationalities", "options")


def _written(given: Given) -> dict[str, Any]:
    plain = {name: given[name] for name in WRITTEN if name in given}
    return plain | {name: list(dict.fromkeys(given[name])) for name in LISTS if name in given}


def draft(_work: Work, item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """The request as it is written down, with the ties that it rests on."""
    empty: dict[str, Any] = {"terms": {}, "options": [], "levels_asked": {}, "no_fee_for_workers": False}
    ties = {n: getattr(item.dossier, n) for n in ("relationship_id", "agency_relationship_id")}
    whom = {n: given.get(n) for n in ("organisation_id", "agency_id")}
    columns = empty | {n: given.get(n) for n in WRITTEN if n not in empty} | _written(given) | ties | whom
    return columns | {"offered": 0, "taken": 0, "used": 0, "event_data": whom | {"seats": given["seats"]}}


def edit(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """New values, before anybody looks at them again."""
    columns = _written(given)
    return columns | {"event_data": {"fields": sorted(columns)}}


def request_changes(_work: Work, _item: Item[Any], _step: Step, given: Given) -> dict[str, Any]:
    """What the enterprise is to change, each with its reason."""
    changes = [{"field": c.field, "reason_code": c.reason_code} for c in given["changes"]]
    return {"changes": changes, "event_data": {"changes": changes}}


def submit(_work: Work, _item: Item[Any], _step: Step, _given: Given) -> dict[str, Any]:
    """What was to be changed has been."""
    return {"changes": None}


def replace_seat(_work: Work, item: Item[RequestDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """A seat that somebody left with is given back."""
    seats = left_with(item.dossier.seats, used=-1)
    return {"used": seats.used, "event_data": {"used": -1, "free": seats.free}}


def keep_seat(_work: Work, item: Item[RequestDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """The seat is used up after all."""
    seats = left_with(item.dossier.seats, used=1)
    return {"used": seats.used, "event_data": {"used": 1, "free": seats.free}}


def close_out(work: Work, item: Item[RequestDossier], _step: Step, _given: Given) -> dict[str, Any]:
    """Whoever was still a candidate was not selected."""
    closed = [c for c in item.dossier.concerned if CANDIDACY.follows("close_out", c.state)]
    for c in closed:
        work.follow(candidacies, "close_out", c.id, c.person, c.state, c.version)
    return {"event_data": {"closed_out": len(closed)}}


def cancel(work: Work, item: Item[RequestDossier], step: Step, given: Given) -> dict[str, Any]:
    """Offers are taken back, candidates not selected, placements cancelled of whoever has not left; seats come back."""
    data = close_out(work, item, step, given)["event_data"]
    offers = [c for c in item.dossier.concerned if c.state == "offered"]
    for c in offers:
        work.follow(candidacies, "rescind", c.id, c.person, c.state, c.version)
    fallen = [c for c in item.dossier.concerned if c.placement is not None and c.placement_state in AT_HOME]
    for c in fallen:
        if c.placement is None or c.placement_state is None or c.placement_version is None:
            continue
        work.follow(
            placements, "cancel", c.placement, c.person, c.placement_state, c.placement_version,
            data={"reason_code": "employer_withdrew"},
        )  # fmt: skip
        work.follow(candidacies, "fall_through", c.id, c.person, c.state, c.version)
    seats = left_with(item.dossier.seats, offered=-len(offers), taken=-len(fallen))
    data |= {"rescinded": len(offers), "placements_cancelled": len(fallen)}
    return {"offered": seats.offered, "taken": seats.taken, "event_data": data}


SUBJECT: Subject[Any] = Subject(
    "placement_requests",
    PLACEMENT_REQUEST,
    placement_requests,
    stored.FACTS,
    births={"draft": stored.NEW_FACTS},
    effects={
        "draft": draft,
        "edit": edit,
        "submit": submit,
        "request_changes": request_changes,
        "replace_seat": replace_seat,
        "close": close_out,
        "expire": close_out,
        "cancel": cancel,
    },
    undo={"replace_seat": keep_seat},
    kind="placement_request",
)
TIMERS: list[Timer] = [
    Timer("placement_requests_open", SUBJECT, "open", stored.DUE_TO_OPEN),
    Timer("placement_requests_expire", SUBJECT, "expire", stored.DUE_TO_EXPIRE),
]
