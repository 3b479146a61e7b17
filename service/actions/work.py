"""How every act is done: read what the rules may know, decide, write all of it in one statement.

An act on one person's own things takes two round trips and no transaction block. An act that shares something (a
place, a seat) or concerns several takes its locks first, in one order. Both decide on the same facts and write by the
same statement; what was read and is no longer so is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from pydantic_core import from_json, to_json

from service.actions.pace import Buckets
from service.domain import journey
from service.domain.actors import Actor, Role, Sight
from service.domain.events import GENESIS, Entry, link
from service.domain.lifecycle import (
    KERNEL_ACTIONS,
    NEW,
    Dossier,
    Given,
    Lifecycle,
    Offer,
    Reason,
    Refused,
    Step,
    allowed,
)
from service.storage.database import Connection, Database, Record, Stale, Table, attempt
from service.storage.files import Files
from service.storage.ids import uuid7
from service.storage.opening import FactsOf, Head, lock_heads, read_head, read_heads
from service.storage.tables.columns import LIFECYCLES
from service.storage.tables.record import stream_keys
from service.storage.vault import Vault
from service.storage.writes import Writes

D = TypeVar("D", bound=Dossier)
KEPT = timedelta(days=7)
AT_MOST = 5000
"""Items of one act in one transaction; more is a job."""
MANY = 50
"""Items from which on an act is planned and timed as bulk work."""
UNLOCKED_TRIES = 3
"""Tries of an act on one person before it locks the head first."""


class Unauthenticated(Exception):
    """No live token."""


class Missing(Exception):
    """Not there, or not to be seen: the two look alike."""


class KeyReused(Exception):
    """The idempotency key came before with another body."""


class StaleVersion(Exception):
    """The item is no longer at the version that the caller saw."""


class KeyMissing(Exception):
    """An act by a client needs an idempotency key."""


class VersionMissing(Exception):
    """An act on something that exists needs the version that the caller saw."""


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, and how. `trusted` names an actor outright (timers, the sample world) and may set the clock.

    `declared` is history that old papers tell: what they do not prove is owed.
    """

    institution: UUID
    route: str
    sight: Sight = Sight.STAFF
    token: bytes = b""
    key: str = ""
    body: bytes = b""
    trusted: Actor | None = None
    at: datetime | None = None
    declared: bool = False

    def credentials(self) -> dict[str, Any]:
        """What a statement needs to know of the caller."""
        clock = self.at.isoformat() if self.at else None
        if self.trusted is not None:
            return {"actor_id": self.trusted.account_id, "actor_roles": sorted(self.trusted.roles), "at": clock}
        return {"token": self.token, "at": clock}

    @property
    def eyes(self) -> Sight | None:
        """Which variant of a statement serves the caller; None for a trusted one."""
        return None if self.trusted is not None else self.sight


GUESSES = (10, 900)
"""Wrong passwords for one account from one address, and in how many seconds."""


@dataclass(frozen=True, slots=True)
class Services:
    """What an act needs of the outside."""

    database: Database
    vault: Vault
    files: Files
    guesses: Buckets = field(default_factory=lambda: Buckets(*GUESSES))


@dataclass(frozen=True, slots=True)
class Item(Generic[D]):
    """One subject of an act as it was read. For a birth, `id` is what it is born from."""

    id: UUID
    stream: UUID
    version: int
    dossier: D
    also: tuple[UUID, ...] = ()


Effect: TypeAlias = "Callable[[Work, Item[Any], Step, Given], Mapping[str, Any] | None]"
"""What a step leaves behind beside its state: returns columns for the item's own row, and tells the work the rest."""


@dataclass(frozen=True, slots=True)
class Subject(Generic[D]):
    """A capability as the engine sees it.

    `births` gives, by action, the facts from which it is born, or the facts of an action that must know what its input
    names (the class to which somebody is transferred). `effects` and `undo` are by action. `adjust` corrects a
    dossier (of a birth too) for what this same act has already taken (the seats of a batch). `owe` puts down what a
    declared step left unproven. `kind` is the kind of its own stream, where it has one.
    """

    plural: str
    lifecycle: Lifecycle[D]
    table: Table
    facts: FactsOf[D]
    births: Mapping[str, FactsOf[Any]] = field(default_factory=dict)
    effects: Mapping[str, Effect] = field(default_factory=dict)
    undo: Mapping[str, Effect] = field(default_factory=dict)
    adjust: Callable[[Any, Work], Any] | None = None
    owe: Callable[[Work, Item[Any], UUID, Step], None] | None = None
    kind: str | None = None

    def __hash__(self) -> int:
        return id(self)


@dataclass(slots=True)
class Work:
    """One act while it is being done: its instant, its actor, the streams it touches, and what it will write."""

    call: Call
    vault: Vault
    actor: Actor
    now: datetime
    today: date
    given: Given
    heads: dict[UUID, Head]
    writes: Writes
    action_id: UUID = field(default_factory=uuid7)
    touched: dict[UUID, tuple[int, int, bytes]] = field(default_factory=dict)
    created: dict[str, UUID] = field(default_factory=dict)
    once: dict[Any, UUID] = field(default_factory=dict)
    """What was made once for all items of the act, by what it is."""
    later: dict[Any, Callable[[], None]] = field(default_factory=dict)
    """What is told once for all items of the act, by what it is about (the seats of a request)."""

    @property
    def occurred_on(self) -> date:
        """The day on which it happened: as told, else today."""
        return self.given.get("occurred_on") or self.today

    # ---- streams
    def begin(self, kind: str, stream: UUID) -> UUID:
        """A new stream, with a key of its own."""
        _, wrapped = self.vault.new_stream_key(self.call.institution, stream)
        self.heads[stream] = Head(stream, kind, 0, 0, GENESIS, None, wrapped, [], is_new=True)
        self.writes.row(stream_keys, stream, stream_id=stream, wrapped=wrapped, key_id=self.vault.current)
        return stream

    def seal(self, stream: UUID, text: str, *belongs_to: object) -> bytes:
        """The text under the stream's own key."""
        wrapped = self.heads[stream].wrapped
        if wrapped is None:
            raise Missing
        key = self.vault.stream_key(wrapped, self.call.institution, stream)
        return key.seal(text, self.call.institution, stream, *belongs_to)

    def record(
        self,
        stream: UUID,
        step: Step | None,
        *,
        type_: str,
        subject: str,
        subject_id: UUID,
        data: Mapping[str, Any] | None = None,
        main: bool = True,
    ) -> int:
        """An event of a stream; its sequence number. A consequence (`main` False) carries no note and no evidence."""
        head = self.heads[stream]
        seq, chain = head.seq + 1, head.chain_head
        note = self.given.get("note") if main else None
        moved = step is not None
        entry = Entry(
            institution_id=self.call.institution,
            stream_id=stream,
            seq=seq,
            event_id=uuid7(),
            action_id=self.action_id,
            type=type_,
            action=step.action if step else "note",
            subject=subject,
            subject_id=subject_id,
            from_state=(step.from_state or None) if step and moved else None,
            to_state=step.to_state if step else None,
            actor_id=self.actor.account_id,
            actor_roles=" ".join(sorted(self.actor.roles)),
            recorded_for=step.recorded_for if step else None,
            reason_code=self.given.get("reason_code") if main else None,
            occurred_on=self.occurred_on,
            recorded_at=self.now,
            corrects=step.corrects if step else None,
            evidence=tuple(self.given.get("evidence") or ()) if main else (),
            note_sealed=self.seal(stream, note, "note") if note else None,
            data=from_json(to_json(dict(data or {}) | ({"declared": True} if self.call.declared else {}))),
        )
        chain = link(chain, entry)
        columns = {name: getattr(entry, name) for name in Entry.__slots__ if name != "institution_id"}
        self.writes.event(**columns, hash=chain)
        head.seq, head.chain_head = seq, chain
        return seq

    # ---- what a step does
    def move(
        self,
        table: Table,
        step: Step,
        item_id: UUID,
        stream: UUID,
        version: int,
        *,
        main: bool = True,
        data: Mapping[str, Any] | None = None,
        **columns: Any,
    ) -> None:
        """The step, with its event."""
        seq = self.record(
            stream, step, type_=step.event, subject=step.lifecycle, subject_id=item_id, data=data, main=main
        )
        if step.action == "contest":
            columns["contested_seq"] = seq
        elif step.action in ("uphold", "correct"):
            columns["contested_seq"] = None
        if main and step.action not in ("contest", "uphold", "correct"):
            columns.setdefault("since_on", self.occurred_on)
        self.writes.move(table, step, id=item_id, stream=stream, version=version, event_seq=seq, **columns)
        self._hold(table, stream, item_id, step.to_state, departs=columns.get("departs"))

    def follow(
        self, table: Table, action: str, item_id: UUID, stream: UUID, state: str, version: int, **columns: Any
    ) -> Step:
        """A consequence elsewhere: the system's own step in that table's lifecycle."""
        lifecycle, _ = LIFECYCLES[table.name]
        step = lifecycle.follow(action, state)
        self.move(table, step, item_id, stream, version, main=False, **columns)
        return step

    def bear(
        self,
        table: Table,
        lifecycle: Lifecycle[Any],
        action: str,
        stream: UUID,
        *,
        item_id: UUID | None = None,
        step: Step | None = None,
        main: bool = False,
        data: Mapping[str, Any] | None = None,
        **columns: Any,
    ) -> UUID:
        """Something new as a consequence (or, with a step, as what was asked for)."""
        new_id = item_id or uuid7()
        born = step or lifecycle.follow(action, NEW)
        seq = self.record(
            stream, born, type_=born.event, subject=lifecycle.name, subject_id=new_id, data=data, main=main
        )
        own_person = {"person_id": stream} if "person_id" in table.c and "person_id" not in columns else {}
        self.writes.birth(
            table,
            born,
            id=new_id,
            stream=stream,
            event_seq=seq,
            since_on=self.occurred_on,
            created_at=self.now,
            **own_person,
            **columns,
        )
        self._hold(table, stream, new_id, born.to_state, departs=columns.get("departs"))
        self.created[lifecycle.name] = new_id
        return new_id

    def hold(self, stream: UUID, subject: str, item_id: UUID, state: str) -> None:
        """What decides the stage of a journey beside the lifecycles: availability."""
        held = self.heads[stream].held
        held[:] = [h for h in held if h.id != item_id or h.subject != subject] + [journey.Held(subject, item_id, state)]

    def _hold(self, table: Table, stream: UUID, item_id: UUID, state: str, *, departs: bool | None) -> None:
        if table.name not in LIFECYCLES:
            return
        name = LIFECYCLES[table.name][0].name
        if name in journey.LIVE:
            held = self.heads[stream].held
            before = next((h for h in held if h.id == item_id), None)
            flag = departs if departs is not None else bool(before and before.departs)
            held[:] = [h for h in held if h.id != item_id] + [journey.Held(name, item_id, state, flag)]

    def counted(self, table: Table, key: Mapping[str, Any], column: str) -> int:
        """How much this act has already added to a number that others share."""
        total = 0
        for (kind, name, _), rows in self.writes.parts.items():
            if kind == "count" and name == table.name:
                total += sum(r.get(f"by_{column}", 0) for r in rows if all(r.get(k) == v for k, v in key.items()))
        return total

    def close(self, answer: bytes) -> None:
        """The heads of every stream that was touched, and the answer for whoever asks again."""
        for told in self.later.values():
            told()
        for stream, head in self.heads.items():
            is_one = head.kind == "person" and head.record != "joined"
            stage = journey.stage(head.held) if is_one else None
            if head.is_new:
                self.writes.new_head(
                    stream_id=stream, kind=head.kind, seq=head.seq, chain_head=head.chain_head, stage=stage
                )
            elif head.seq > self.touched[stream][1]:
                self.writes.head(
                    stream_id=stream, version=head.version, seq=head.seq, chain_head=head.chain_head, stage=stage
                )
        call = self.call
        if call.key:
            who = (call.institution, self.actor.account_id, call.route, call.key)
            self.writes.key(
                account_id=self.actor.account_id,
                route=call.route,
                key=call.key,
                body_digest=call.body,
                sealed=self.vault.seal(answer, *who),
                kept_until=self.now + KEPT,
            )


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item of an act: moved (with its version and what was created), or refused with reasons."""

    id: UUID
    state: str | None = None
    version: int | None = None
    created: Mapping[str, UUID] = field(default_factory=dict)
    refused: tuple[Reason, ...] = ()
    open_actions: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """An act that was done: its answer as bytes, or the same answer again."""

    body: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """One item that the caller names, the version they saw (None where the act needs none), and its own input.

    In a batch `given` goes before what is given to all.
    """

    id: UUID
    version: int | None = None
    given: Given = field(default_factory=dict)


def read_actor(call: Call, record: Record) -> Actor:
    """The actor of a statement that began with one.

    Raises:
        Unauthenticated: the token is not live.
    """
    if call.trusted is not None:
        return call.trusted
    if record["asked_account_id"] is None:
        raise Unauthenticated
    return Actor(
        record["asked_account_id"],
        frozenset(Role(r) for r in record["asked_roles"]),
        call.sight,
        record["asked_organisation_id"],
        tuple(record["asked_person_ids"] or ()),
        tuple(record["asked_unit_ids"] or ()),
    )


@dataclass(frozen=True, slots=True)
class _Read(Generic[D]):
    actor: Actor
    now: datetime
    today: date
    items: dict[UUID, Item[D]]
    shown: dict[UUID, frozenset[UUID]]
    heads: dict[UUID, Head]
    kept: Done | KeyReused | None


async def _open(
    con: Any,
    services: Services,
    call: Call,
    facts: FactsOf[D],
    ids: Sequence[UUID],
    evidence: Sequence[UUID],
    extra: Mapping[str, Any],
    *,
    with_last: bool,
) -> _Read[D]:
    records = await facts.records(
        con, call.eyes, institution=call.institution, ids=list(ids), route=call.route, key=call.key,
        evidence=list(evidence), **({} if facts.birth else {"with_last": with_last}), **call.credentials(), **extra,
    )  # fmt: skip
    first = records[0]
    actor = read_actor(call, first)
    kept: Done | KeyReused | None = None
    if call.key and first["kept_digest"] is not None:
        if first["kept_digest"] == call.body:
            who = (call.institution, actor.account_id, call.route, call.key)
            kept = Done(services.vault.open(first["kept_sealed"], *who), replayed=True)
        else:
            kept = KeyReused()
    items, shown, heads = {}, {}, {}
    for r in records:
        if r["id"] is None:
            continue
        shown[r["id"]] = frozenset(r["evidence_found"] or ())
        items[r["id"]] = Item(r["id"], r["stream"], r["version"], facts.dossier(r), tuple(r["also"] or ()))
        if (head := read_head(r)) is not None:
            heads[head.stream_id] = head
    return _Read(actor, first["now"], first["today"], items, shown, heads, kept)


Answer: TypeAlias = "Callable[[Work, list[Result]], bytes]"


async def perform(
    services: Services,
    call: Call,
    subject: Subject[Any],
    action: str,
    wanted: Sequence[Wanted],
    given: Given,
    *,
    answer: Answer,
    single: bool = True,
    extra: Mapping[str, Any] | None = None,
) -> Done:
    """One act on one item or many: all that is granted is written together, the rest is answered with reasons.

    Raises:
        Unauthenticated, Missing, KeyReused, StaleVersion, Refused: for a single item; in a batch they are results.
        Unavailable, Conflict, BadInput: from the database.
    """
    facts = subject.births.get(action, subject.facts)
    rules = subject.lifecycle.by_action.get(action, ())
    shared = any(r.shared for r in rules) or (action == "correct" and any(r.shared for r in subject.lifecycle.rules))
    ids = [w.id for w in wanted]
    act = _Act(services, call, subject, action, wanted, given, answer, single, facts, extra or {})

    async def once(n: int) -> Done:
        # One connection from the first read to the commit: in a rush, nobody who saw a free seat waits for another.
        async with services.database.connection() as con:
            streams: set[UUID] = set()
            if single:
                read = await act.read(con)
                if kept := act.kept(read):
                    return kept
                if not shared and n < UNLOCKED_TRIES:
                    return await act.decide_and_write(con, read)
                act.rehearse(read)  # a refusal needs no lock: most of a rush ends here
                streams = act.streams(read)
            async with services.database.transaction(con, call.institution, bulk=max(len(ids), len(streams)) > MANY):
                if not single:  # all that they need is read once, behind the locks
                    streams = await act.streams_of_all(con)
                return await act.locked(con, streams)

    return await attempt(once)


async def kept_answer(
    services: Services, call: Call, subject: Subject[Any], action: str, wanted: Sequence[Wanted]
) -> Done | None:
    """The answer that the same key had before; an act in parts asks for it before the first of them.

    Raises:
        Unauthenticated, KeyMissing, KeyReused.
    """
    act = _Act(services, call, subject, action, wanted, {}, lambda *_: b"", single=False, facts=subject.facts, extra={})

    async def once(_: int) -> Done | None:
        async with services.database.connection() as con:
            return act.kept(await act.read(con))

    return await attempt(once)


async def perform_within(
    services: Services,
    con: Connection,
    call: Call,
    subject: Subject[Any],
    action: str,
    wanted: Sequence[Wanted],
    *,
    extra: Mapping[str, Any] | None = None,
) -> list[Result]:
    """One act on many as a part of a transaction that runs already; what became of each, in the order of the wanted.

    Whoever does several so locks what they share first.

    Raises:
        Stale, and the driver's own errors: the transaction is to be rolled back.
    """
    kept: list[Result] = []

    def answer(_work: Work, results: list[Result]) -> bytes:
        kept[:] = results
        return b""

    facts = subject.births.get(action, subject.facts)
    act = _Act(services, call, subject, action, wanted, {}, answer, single=False, facts=facts, extra=extra or {})
    await act.locked(con, await act.streams_of_all(con))
    return kept


async def rehearse(
    services: Services,
    call: Call,
    subject: Subject[Any],
    action: str,
    wanted: Sequence[Wanted],
    *,
    extra: Mapping[str, Any] | None = None,
) -> list[Result]:
    """What would become of each item of an act: decided on what is known now, and nothing is written."""
    facts = subject.births.get(action, subject.facts)
    act = _Act(
        services, call, subject, action, wanted, {}, lambda *_: b"", single=False, facts=facts, extra=extra or {}
    )

    async def once(_: int) -> _Read[Any]:
        async with services.database.connection() as con:
            return await act.read(con)

    read = await attempt(once)
    return [act.rehearsed(read, each) for each in wanted]


@dataclass(frozen=True, slots=True)
class _Act(Generic[D]):
    services: Services
    call: Call
    subject: Subject[D]
    action: str
    wanted: Sequence[Wanted]
    given: Given
    answer: Answer
    single: bool
    facts: FactsOf[Any]
    extra: Mapping[str, Any]

    async def read(self, con: Any) -> _Read[Any]:
        ids = list(dict.fromkeys(w.id for w in self.wanted))
        evidence = {e for g in (self.given, *(w.given for w in self.wanted)) for e in g.get("evidence") or ()}
        with_last = self.action in KERNEL_ACTIONS
        return await _open(
            con, self.services, self.call, self.facts, ids, sorted(evidence), self.extra, with_last=with_last
        )

    async def streams_of_all(self, con: Any) -> set[UUID]:
        """The streams of the items and those that the act concerns beside them, as they are before any is locked."""
        statement = self.facts.streams(self.call.eyes)
        known = {
            "institution": self.call.institution, "ids": list({w.id for w in self.wanted}), "with_last": False,
            **self.call.credentials(), **self.extra,
        }  # fmt: skip
        found = await statement.all(con, **{name: v for name, v in known.items() if name in statement.known})
        return {s for stream, others in found for s in (stream, *(others or ()))}

    def given_to(self, wanted: Wanted) -> Given:
        """What was given for this item: its own input before that for all."""
        return {**self.given, **wanted.given} if wanted.given else self.given

    def kept(self, read: _Read[Any]) -> Done | None:
        """The answer that was given before, where the caller may still see what it is about."""
        if self.single and self.wanted[0].id not in read.items:
            raise Missing
        if self.call.trusted is None and not self.call.key:
            raise KeyMissing
        if isinstance(read.kept, KeyReused):
            raise read.kept
        return read.kept

    @staticmethod
    def streams(read: _Read[Any]) -> set[UUID]:
        return {s for item in read.items.values() for s in (item.stream, *item.also)}

    async def locked(self, con: Connection, streams: set[UUID]) -> Done:
        """Lock the streams, read what is behind the locks, decide and write."""
        call = self.call
        await lock_heads(con, call.institution, sorted(streams))
        again = await self.read(con)
        if kept := self.kept(again):
            return kept
        if not self.streams(again) <= streams:
            raise Stale("the set changed")
        beside = sorted(streams - again.heads.keys())  # the others were read behind the locks with their items
        heads = await read_heads(con, call.institution, beside, call.at) if beside else {}
        return await self.decide_and_write(con, replace(again, heads=again.heads | heads))

    def rehearse(self, read: _Read[Any]) -> None:
        """Refuse what is refused already, before anything is locked."""
        if self.single:
            self._decide(read, self.wanted[0], None)

    def rehearsed(self, read: _Read[Any], wanted: Wanted) -> Result:
        """What would become of an item."""
        try:
            item, step = self._decide(read, wanted, None)
        except (Refused, Missing, StaleVersion, VersionMissing) as no:
            return _refusal(wanted, no)
        return Result(item.id, step.to_state, item.version)

    def _decide(self, read: _Read[Any], wanted: Wanted, work: Work | None) -> tuple[Item[Any], Step]:
        item = read.items.get(wanted.id)
        if item is None:
            raise Missing
        dossier = item.dossier
        if work is not None and self.subject.adjust is not None:
            dossier = self.subject.adjust(dossier, work)
            item = replace(item, dossier=dossier)
        self._check_version(read.actor, item, wanted)
        given = self.given_to(wanted)
        shut = shut_record(read.heads.get(item.stream), read.actor, of_record=self.subject.kind == "person")
        if shut and self.action != "separate":
            self._check_role(read.actor)
            raise Refused([shut])
        try:
            decide = self.subject.lifecycle.declare if self.call.declared else self.subject.lifecycle.decide
            step = decide(self.action, dossier, read.actor, given)
        except Refused as no:
            raise Refused(_told_to(read.actor, self.subject, no.reasons), no.open_actions) from None
        if not read.shown[wanted.id].issuperset(given.get("evidence") or ()):
            raise Refused([Reason("evidence_known", pointer="/evidence")])
        return item, step

    def _check_version(self, actor: Actor, item: Item[Any], wanted: Wanted) -> None:
        """The version that the caller saw; but whoever may never do this learns that first."""
        if (
            wanted.version == item.version
            or (self.call.trusted is not None and wanted.version is None)
            or self.action in self.subject.lifecycle.births()
        ):
            return
        self._check_role(actor)
        raise VersionMissing if wanted.version is None else StaleVersion

    def _check_role(self, actor: Actor) -> None:
        """Whoever may never do this learns that, before anything about what it is."""
        rules = self.subject.lifecycle.by_action.get(self.action, ())
        who = {w for r in rules for w in r.who}
        if rules and not allowed(actor, who):
            raise Refused([Reason("role", required=sorted(who), actual=sorted(actor.roles))])

    async def decide_and_write(self, con: Connection, read: _Read[Any]) -> Done:
        call, subject = self.call, self.subject
        work = Work(
            call,
            self.services.vault,
            read.actor,
            read.now,
            read.today,
            self.given,
            dict(read.heads),
            Writes(call.institution),
        )
        work.touched = {s: (h.version, h.seq, h.chain_head) for s, h in read.heads.items()}
        results: list[Result] = []
        for wanted in self.wanted:
            try:
                item, step = self._decide(read, wanted, work)
            except (Refused, Missing, StaleVersion, VersionMissing) as no:
                if self.single:
                    raise
                results.append(_refusal(wanted, no))
                continue
            work.created, work.given = {}, self.given_to(wanted)
            results.append(self._apply(work, item, step, subject))
        body = self.answer(work, results)
        work.close(body)
        if not any(kind in ("head", "new_head") for kind, _, _ in work.writes.parts):
            return Done(body)
        if not await work.writes.run(con):
            raise Stale("head")
        return Done(body)

    def _apply(self, work: Work, item: Item[Any], step: Step, subject: Subject[Any]) -> Result:
        if step.from_state == NEW and step.action != "correct":
            new_id = uuid7()
            stream = item.stream
            if subject.kind is not None:
                stream = work.begin(subject.kind, new_id)
            work.created[subject.lifecycle.name] = new_id
            effect = subject.effects.get(self.action)
            columns = dict(
                (effect(work, replace(item, id=item.id, stream=stream), step, work.given) if effect else None) or {}
            )
            data = columns.pop("event_data", None)
            work.bear(
                subject.table,
                subject.lifecycle,
                self.action,
                stream,
                item_id=new_id,
                step=step,
                main=True,
                data=data,
                **columns,
            )
            self._owe(work, item, new_id, step)
            return Result(new_id, step.to_state, 1, dict(work.created))
        if step.action == "correct":
            effect = subject.undo.get(item.dossier.last_step.action)
        else:
            effect = subject.effects.get(self.action)
        columns = dict((effect(work, item, step, work.given) if effect else None) or {})
        data = columns.pop("event_data", None)
        if step.action == "correct" and (before := item.dossier.last_step.since_before) is not None:
            columns.setdefault("since_on", before)  # what is recorded instead may have happened earlier
        work.move(subject.table, step, item.id, item.stream, item.version, data=data, **columns)
        self._owe(work, item, item.id, step)
        return Result(item.id, step.to_state, item.version + 1, dict(work.created))

    def _owe(self, work: Work, item: Item[Any], item_id: UUID, step: Step) -> None:
        if not step.unproven:
            return
        if self.subject.owe is None:
            raise TypeError(f"nobody owes what a declared {step.lifecycle} leaves unproven")
        self.subject.owe(work, item, item_id, step)


def shut_record(head: Head | None, actor: Actor, *, of_record: bool) -> Reason | None:
    """Why nothing more is done with a person's things: their record was taken back, erased, or joined to another.

    Of the record itself (`of_record`) its own rules say so, unless it was joined: then the survivor is named, to the
    staff alone.
    """
    if head is None or head.kind != "person" or head.record == "known":
        return None
    if head.record == "joined":
        return Reason("record_joined", required=head.survivor if actor.sight is Sight.STAFF else None)
    if of_record:
        return None
    return Reason("record_open", required="known", actual=head.record)


def _refusal(wanted: Wanted, no: Exception) -> Result:
    """Why an item of many was not moved."""
    if isinstance(no, Refused):
        return Result(wanted.id, refused=no.reasons, open_actions=no.open_actions)
    return Result(wanted.id, error="not-found" if isinstance(no, Missing) else "stale")


def _told_to(actor: Actor, subject: Subject[Any], reasons: Sequence[Reason]) -> Sequence[Reason]:
    """Why not, for such eyes: an organisation learns no more of a person by a refusal than a consent shows it.

    What is for others to do is closed to it by its role, and nothing else; what a paper of the person says is left out.
    """
    if actor.sight is not Sight.ORGANISATION or subject.facts.stream != "person_id":
        return reasons
    of_role = [r for r in reasons if r.code == "role"]
    return of_role or [replace(r, actual=None) if (r.pointer or "").startswith("requirement/") else r for r in reasons]


async def read_facts(
    services: Services, call: Call, subject: Subject[D], ids: Sequence[UUID], *, with_last: bool = False
) -> tuple[Actor, dict[UUID, Item[D]]]:
    """Who asks, and what the rules know of the items that they see: for weighing, without a step."""
    async with services.database.connection() as con:
        read = await _open(con, services, replace(call, key=""), subject.facts, ids, (), {}, with_last=with_last)
    return read.actor, read.items


async def offers(
    services: Services, call: Call, subject: Subject[Any], ids: Sequence[UUID]
) -> dict[UUID, tuple[int, list[Offer]]]:
    """The actions of each item that the actor sees, open or closed, with the version they were computed for."""
    async with services.database.connection() as con:
        read = await _open(con, services, replace(call, key=""), subject.facts, ids, (), {}, with_last=True)

    def told(item: Item[Any]) -> list[Offer]:
        made = []
        if shut := shut_record(read.heads.get(item.stream), read.actor, of_record=subject.kind == "person"):
            made = subject.lifecycle.shut(shut)
        if not shut or subject.kind == "person":
            asked = subject.lifecycle.offers(item.dossier, read.actor)
            still = [o for o in asked if o.action == "separate"] if shut else asked
            made = [*still, *(o for o in made if o.action != "separate")]
        return [replace(o, reasons=tuple(_told_to(read.actor, subject, o.reasons))) for o in made]

    return {i: (item.version, told(item)) for i, item in read.items.items()}
