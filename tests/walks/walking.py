"""A walk over what is offered, on a real database: after every step all that must hold is looked at.

What is offered open and asked inside its bounds is granted; what is closed is refused with the reasons that were
offered. Inputs are drawn from what the offers publish. The number of walks and of their steps is that of the profile:
`SOJOURN_WALKS=100` for a hundred long ones of each kind; `--hypothesis-show-statistics` tells which moves they made.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st

from service.actions import documents, institutions, trainees
from service.actions.clock import TIMERS
from service.actions.timers import ring
from service.actions.work import Call, Result, Services, Subject, Wanted, Work, offers, perform
from service.domain import journey
from service.domain.actors import ADMIN, COORDINATOR, RECORDABLE, REGISTRAR, SYSTEM, Actor, Role
from service.domain.lifecycle import KERNEL_ACTIONS, NEW, VOIDED, Given, Lifecycle, Offer, Refused, Takes
from service.storage.files import Stored
from service.storage.ids import uuid7
from service.storage.institutions import trusted_admin
from service.storage.schema import LIFECYCLES
from tests.tables import finals, reachable

NOWHERE = UUID(int=0)
LONG = int(os.environ.get("SOJOURN_WALKS") or 0)
STEPS = 70 if LONG else 30
WALKS = settings(
    max_examples=LONG or 12,
    derandomize=not LONG,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
TIMEOUT = pytest.mark.timeout(7200 if LONG else 120)

Record: TypeAlias = "asyncpg.Record"
Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
ASKED_FOR = frozenset({"input_required", "evidence_required", "recorded_for_required"})
"""What an act that is asked with nothing at all is refused for beside what closes it."""
BEGINS = datetime(2026, 11, 2, 2, tzinfo=UTC)
NOTE = "Σ 已核对"
NOBODY: Mapping[str, Any] = {"course_ids": [], "person_ids": []}
"""What facts are told where an input names none."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A database, and a pair of eyes that sees every row of it."""

    services: Services
    auditor: asyncpg.Connection[Record]


@dataclass(frozen=True, slots=True)
class Thing:
    """Something with a life, as its row says."""

    table: str
    id: UUID
    stream: UUID
    state: str
    event_seq: int
    departs: bool

    @property
    def lifecycle(self) -> Lifecycle[Any]:
        """The table of its life."""
        return LIFECYCLES[self.table][0]


_THINGS = " UNION ALL ".join(
    f"SELECT '{name}', id, {stream}, state, event_seq, {'departs' if name == 'placements' else 'false'}"
    f" FROM {name} WHERE institution_id = $1"
    for name, (_, stream) in LIFECYCLES.items()
)
_EVENTS = """SELECT stream_id, subject_id, seq, from_state, to_state, type FROM events
WHERE institution_id = $1 AND to_state IS NOT NULL ORDER BY stream_id, seq"""
_WAITING = "SELECT id FROM trainees WHERE institution_id = $1 AND available_until >= $2"
_STAGES = "SELECT stream_id, stage FROM heads WHERE institution_id = $1 AND kind = 'person'"


@dataclass(frozen=True, slots=True)
class View:
    """All that is looked at after a step."""

    things: Mapping[UUID, Thing] = field(default_factory=dict)
    moves: Mapping[UUID, Sequence[Record]] = field(default_factory=dict)
    stages: Mapping[UUID, str] = field(default_factory=dict)
    numbers: Mapping[Any, Sequence[int]] = field(default_factory=dict)


Birth: TypeAlias = Callable[["Walk"], Awaitable[None]]


@dataclass
class Walk:
    """One walk in an institution of its own.

    `numbers` is a query for what is counted: a key, the number, the most it may be (None: no limit), and the rows that
    hold it. `pools` are queries for the ids that an input or a field may name, given the institution and the thing.
    `excused` are the reasons of checks that no bound can tell, by action. `made` makes what no bound describes.
    `every` are inputs that name all of a pool, `left_out` moves that are no part of the walk.
    """

    ground: Ground
    draw: Draw
    subjects: Sequence[Subject[Any]]
    numbers: str
    births: Sequence[Birth] = ()
    pools: Mapping[str, str] = field(default_factory=dict)
    excused: Mapping[str, frozenset[str]] = field(default_factory=dict)
    made: Mapping[Any, Callable[[Walk, Thing, dict[str, Any]], Any]] = field(default_factory=dict)
    every: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    institution: UUID = NOWHERE
    now: datetime = BEGINS
    people: list[UUID] = field(default_factory=list)
    papers: dict[UUID | None, list[UUID]] = field(default_factory=dict)
    cast: dict[Role, list[Actor]] = field(default_factory=dict)
    seen: View = field(default_factory=View)
    reached: set[tuple[str, str]] = field(default_factory=set)
    order: dict[UUID, int] = field(default_factory=dict)

    # ---- how it begins
    async def enter(self, people: int, **about: Any) -> None:
        """A new institution, actors of every role (two of those that another must follow), people with papers."""
        for role in Role:
            if role is not SYSTEM:
                twice = role in (COORDINATOR, REGISTRAR)
                self.cast[role] = [Actor(uuid4(), frozenset({role})) for _ in range(2 if twice else 1)]
        self.institution = await institutions.found(
            self.ground.services, name_native="北方学院", name_latin="North", country="CN",
            time_zone="Asia/Shanghai", at=self.now,
        )  # fmt: skip
        named = [
            {"name_native": f"王{n}", "name_latin": f"WANG, N{n}", "birth_on": date(2004, 5, 6), "nationality": "CN"}
            for n in range(people)
        ]
        self.people = [await self.born(trainees.SUBJECT, "register", self.institution, **(g | about)) for g in named]
        for person in (*self.people, None):
            self.papers[person] = [await self.paper(person, kind) for kind in ("transcript", "identity")]
        await self.done(documents.SUBJECT, "accept", [p for papers in self.papers.values() for p in papers])

    async def paper(self, person: UUID | None, kind: str) -> UUID:
        """A document of a person, or of the institution; its bytes are nobody's business here."""
        subject = documents.SUBJECT if person else documents._OF_INSTITUTION
        stored = Stored(uuid4().hex * 2, 9, "application/pdf")
        said = {"kind": kind, "title": kind, "content": stored, "content_id": uuid7()}
        return await self.born(subject, "upload", person or self.institution, **said)

    # ---- acts
    def call(self, actor: Actor) -> Call:
        """An act at the present instant of the walk."""
        return Call(self.institution, "walk", trusted=actor, at=self.now)

    async def ask(self, actor: Actor, subject: Subject[Any], action: str, item: UUID, given: Given) -> Result:
        """One act on one thing.

        Raises:
            Refused: it may not happen.
        """
        kept: list[Result] = []

        def answer(_work: Work, results: list[Result]) -> bytes:
            kept[:] = results
            return b""

        names = subject.births.get(action, subject.facts).extra
        await perform(
            self.ground.services, self.call(actor), subject, action, [Wanted(item)], given, answer=answer,
            extra={name: given.get(name, NOBODY.get(name)) for name in names},
        )  # fmt: skip
        for made in (kept[0].id, *kept[0].created.values()):  # ids are random: what is drawn must not hang on them
            self.order.setdefault(made, len(self.order))
        return kept[0]

    async def born(self, subject: Subject[Any], action: str, anchor: UUID, **given: Any) -> UUID:
        """Something new, as the walk begins."""
        return (await self.ask(trusted_admin(), subject, action, anchor, given)).id

    async def done(
        self, subject: Subject[Any], action: str, ids: Iterable[UUID], who: Role | None = None, **given: Any
    ) -> list[Result]:
        """An act on some, as the walk begins."""
        actor = self.cast[who][0] if who else trusted_admin()
        return [await self.ask(actor, subject, action, i, given) for i in ids]

    # ---- steps
    async def go(self) -> View:
        """So many steps; what is seen at the end."""
        await self.look(most_moves=99)
        ways = ["clock", "born", *["act"] * 7, "closed", "taken_back", "taken_back"]
        for _ in range(STEPS):
            way = self.draw(st.sampled_from(ways if self.births else [w for w in ways if w != "born"]))
            await {
                "clock": self.wait, "born": self.bear, "act": self.act, "closed": self.try_closed,
                "taken_back": self.do_and_take_back,
            }[way]()  # fmt: skip
        for name, state in self.reached:
            lifecycle = next(lc for lc, _ in LIFECYCLES.values() if lc.name == name)
            if state != VOIDED:
                assert reachable(lifecycle, state) & finals(lifecycle) or name == "trainee", (name, state)
        return self.seen

    async def wait(self) -> None:
        """Time goes by, and what is due is done; nothing is due twice."""
        self.now += timedelta(hours=self.draw(st.sampled_from([1, 1, 30, 30, 24 * 8, 24 * 35])))
        for timer in TIMERS:
            if await ring(self.ground.services, timer, self.institution, self.now):
                event(f"timer {timer.name}")
                await self.look(most_moves=2)
                assert await ring(self.ground.services, timer, self.institution, self.now) == 0, timer.name
        await self.look()

    async def bear(self) -> None:
        """Something new, or a refusal."""
        await self.draw(st.sampled_from(self.births))(self)

    async def try_birth(
        self, subject: Subject[Any], action: str, anchor: UUID, who: Role, codes: Iterable[str], **given: Any
    ) -> None:
        """Somebody asks for something new, and gets it, or is refused for reasons that there can be."""
        try:
            await self.ask(self.cast[who][0], subject, action, anchor, given)
        except Refused as no:
            refused = no.reasons
        else:
            event(f"{subject.lifecycle.name}.{action}")
            await self.look()
            return
        assert {r.code for r in refused} <= set(codes), refused
        await self.look(most_moves=0)

    def _mine(self) -> list[tuple[Subject[Any], Thing]]:
        by_table = {s.table.name: s for s in self.subjects}
        return [(by_table[t.table], t) for t in self.seen.things.values() if t.table in by_table]

    def _somebody(self, thing: Thing) -> Actor:
        """Mostly somebody who may do something there, by own right or by recording it."""
        who = {w for r in thing.lifecycle.rules if thing.state in r.sources for w in r.who} - {SYSTEM}
        likely = sorted(who) + ([COORDINATOR] if who & RECORDABLE else []) or [COORDINATOR, ADMIN]
        everybody = [r for r in Role if r is not SYSTEM]
        role = self.draw(st.sampled_from(likely if self.draw(st.integers(0, 4)) else everybody))
        actor: Actor = self.draw(st.sampled_from(self.cast[role]))
        return actor

    async def offered(self, actor: Actor, subject: Subject[Any], thing: Thing) -> list[Offer]:
        """What is offered to somebody of a thing."""
        found = await offers(self.ground.services, self.call(actor), subject, [thing.id])
        return [o for o in found[thing.id][1] if f"{thing.lifecycle.name}.{o.action}" not in self.left_out]

    async def _chosen(self) -> tuple[Actor, Subject[Any], Thing, list[Offer]] | None:
        mine = self._mine()
        if not mine:
            return None
        people = set(self.people)
        theirs = [pair for pair in mine if pair[1].stream in people and pair[1].table != "trainees"]
        if theirs and self.draw(st.integers(0, 5)):  # what all of them share is moved seldom: it ends for all of them
            mine = theirs
        subject, thing = self.draw(st.sampled_from(mine))
        actor = self._somebody(thing)
        return actor, subject, thing, await self.offered(actor, subject, thing)

    async def act(self) -> tuple[Actor, Subject[Any], Thing, View] | None:
        """Something that is open is asked inside its bounds, and granted; who did what to what, and what was before."""
        chosen = await self._chosen()
        if chosen is None:
            return None
        actor, subject, thing, offered = chosen
        ends = finals(thing.lifecycle)
        ways = [
            o
            for o in offered
            if o.open
            for _ in range(
                1 if o.action in KERNEL_ACTIONS or ends.issuperset(o.to) else 3 if thing.state in o.to else 9
            )
        ]
        if not ways:
            return None
        offer = self.draw(st.sampled_from(ways))
        given = await self.inputs(thing, offer)
        if given is None:
            return None
        before = self.seen
        told = f"{thing.lifecycle.name}.{offer.action} from {thing.state} with {given}"
        try:
            result = await self.ask(actor, subject, offer.action, thing.id, given)
        except Refused as no:
            refused, result = no.reasons, None
        else:
            refused = ()
        assert {r.code for r in refused} <= self.excused.get(offer.action, frozenset()), (told, refused)
        if result is None:
            await self.look(most_moves=0)
            return None
        event(f"{thing.lifecycle.name}.{offer.action}")
        assert result.state in offer.to, told
        await self.look()
        assert self.seen.things[thing.id].state == result.state, told
        return actor, subject, thing, before

    async def try_closed(self) -> None:
        """Something that is closed is refused with the reasons that were offered, and leaves nothing."""
        chosen = await self._chosen()
        closed = [o for o in chosen[3] if not o.open] if chosen else []
        if chosen is None or not closed:
            return
        actor, subject, thing, _ = chosen
        offer = self.draw(st.sampled_from(closed))
        given = {"note": NOTE} if offer.action in KERNEL_ACTIONS else {}
        with pytest.raises(Refused) as no:
            await self.ask(actor, subject, offer.action, thing.id, given)
        assert [r for r in no.value.reasons if r.code not in ASKED_FOR] == list(offer.reasons)
        await self.look(most_moves=0)

    async def do_and_take_back(self) -> None:
        """A step that is corrected at once leaves every state, number and stage as it was."""
        taken = await self.act()
        if taken is None:
            return
        _, subject, thing, before = taken
        coordinator = self.cast[COORDINATOR][0]
        after = self.seen.things[thing.id]
        offer = next((o for o in await self.offered(coordinator, subject, after) if o.action == "correct"), None)
        last = self.seen.moves[thing.id][-1]
        if offer is None or not offer.open or last["type"].rsplit(".", 1)[1] in ("corrected", "contested", "upheld"):
            return
        await self.ask(coordinator, subject, "correct", thing.id, {"note": NOTE})
        event(f"{thing.lifecycle.name} taken back from {after.state}")
        await self.look()
        assert self.seen.things[thing.id].state == thing.state
        assert dict(self.seen.numbers) == dict(before.numbers), (thing, after, last)
        states = {i: t.state for i, t in self.seen.things.items() if i in before.things}
        gone = {"consents", "enrolments", "placements"}  # what a step brought to life ends; it is not unmade
        assert {i: s for i, s in states.items() if self.seen.things[i].table not in gone} == {
            i: t.state for i, t in before.things.items() if t.table not in gone
        }
        assert self.seen.stages == before.stages

    async def leave(self, subject: Subject[Any], ways: Mapping[str, Role], **given: Any) -> None:
        """Everything of a kind goes by the first of these ways that is open to it."""
        for mine, thing in self._mine():
            if mine is not subject:
                continue
            for action, role in ways.items():
                actor = self.cast[role][-1]
                offer = next(o for o in await self.offered(actor, subject, thing) if o.action == action)
                if offer.open and (said := await self.inputs(thing, offer)) is not None:
                    await self.ask(actor, subject, action, thing.id, said | given)
                    await self.look()
                    break

    # ---- what is drawn
    async def inputs(self, thing: Thing, offer: Offer) -> dict[str, Any] | None:
        """An input inside the published bounds; None where there is nothing that it could name."""
        rule = thing.lifecycle._rule(offer.action, thing.state)
        kinds = {t.name: t for t in rule.inputs} if rule else {}
        given: dict[str, Any] = {}
        for told in offer.inputs:
            name = told["name"]
            if not told["needed"] and not self.draw(st.booleans()):
                continue
            value = await self._value(thing, kinds.get(name), told, given)
            if value is None:
                if told["needed"]:
                    return None
                continue
            given[name] = value
        return given

    async def _value(self, thing: Thing, takes: Takes[Any] | None, told: Mapping[str, Any], given: Given) -> Any:
        name = told["name"]
        if name in self.made:
            return self.made[name](self, thing, dict(given))
        if name == "evidence":
            return tuple(self.papers.get(thing.stream) or self.papers[None])
        kind = takes.kind if takes else date if name == "occurred_on" else str
        if (pool := await self.pool(name, thing)) is not None:
            if kind is UUID:
                return self.draw(st.sampled_from(pool)) if pool else None
            return tuple(pool) if pool else None
        return await self._of(kind, told, thing, name)

    async def pool(self, name: str, thing: Thing) -> list[UUID] | None:
        """The ids that something of this name may be."""
        if name not in self.pools:
            return None
        return [r[0] for r in await self.ground.auditor.fetch(self.pools[name], self.institution, thing.id)]

    async def _of(self, kind: Any, told: Mapping[str, Any], thing: Thing, name: str) -> Any:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        if "choices" in told and get_origin(kind) is not tuple:
            return self.draw(st.sampled_from(told["choices"]))
        if get_origin(kind) is tuple:
            return await self._many(get_args(kind)[0], told, thing, name)
        if is_dataclass(kind):
            return await self._object(kind, thing)
        if get_origin(kind) is Literal:
            return self.draw(st.sampled_from(get_args(kind)))
        if get_origin(kind) in (Union, UnionType):
            (inner,) = [k for k in get_args(kind) if k is not NoneType]
            return await self._of(inner, told, thing, name) if self.draw(st.booleans()) else None
        return self._plain(kind, told)

    def _plain(self, kind: Any, told: Mapping[str, Any]) -> Any:
        low, high = told.get("least"), told.get("most")
        today = self.now.date()
        if kind is date:
            first, last = low or (high or today) - timedelta(days=40), high or (low or today) + timedelta(days=40)
            assert first <= last, ("offered open, with bounds that nothing meets", told)
            return self.draw(st.dates(first, last))
        if kind is datetime:
            return (low or self.now) + timedelta(hours=self.draw(st.integers(0, 400)))
        if kind is bool:
            return self.draw(st.booleans())
        if kind is int:
            first = low or 0
            return self.draw(st.integers(first, min(high, first + 4) if high is not None else first + 4))
        if kind is Decimal:
            return self.draw(st.decimals(low or 0, high if high is not None else (low or 0) + 100, places=2))
        return NOTE if kind is str else None

    async def _many(self, inner: Any, told: Mapping[str, Any], thing: Thing, name: str) -> Any:
        if "choices" in told and not told["choices"]:
            return None
        if "choices" in told:
            return tuple(self.draw(st.lists(st.sampled_from(told["choices"]), min_size=1, unique=True)))
        if not is_dataclass(inner):
            return None
        keys = [f.name for f in fields(inner) if f.name in self.pools]
        if not keys:
            return tuple([await self._object(inner, thing) for _ in range(self.draw(st.integers(1, 2)))])
        known = await self.pool(keys[0], thing) or []
        if not known:
            return None
        ids = known if name in self.every else known[: self.draw(st.integers(1, len(known)))]
        return tuple([replace(await self._object(inner, thing), **{keys[0]: i}) for i in ids])

    async def _object(self, kind: Any, thing: Thing) -> Any:
        if kind in self.made:
            return self.made[kind](self, thing, {})
        hints = get_type_hints(kind, include_extras=True)
        values = {n: UUID(int=0) if h is UUID else await self._of(h, {}, thing, n) for n, h in hints.items()}
        return kind(**values)

    # ---- what is looked at
    async def look(self, *, most_moves: int = 1) -> None:
        """Read everything as an auditor would, and compare it with what was seen before."""
        con, before = self.ground.auditor, self.seen
        rows = [Thing(*r.values()) for r in await con.fetch(_THINGS, self.institution)]
        rows.sort(key=lambda t: (self.order.get(t.id, len(self.order)), t.table, t.event_seq))
        things = {t.id: t for t in rows}
        moves: dict[UUID, list[Record]] = {i: [] for i in things}
        for e in await con.fetch(_EVENTS, self.institution):
            if e["subject_id"] in moves:
                moves[e["subject_id"]].append(e)
        for thing in rows:
            self._one_event_an_edge(thing, moves[thing.id], before, most_moves)
            self.reached.add((thing.lifecycle.name, thing.state))
        stages = {r["stream_id"]: r["stage"] for r in await con.fetch(_STAGES, self.institution)}
        await self._stages_hold(rows, stages)
        numbers = {r[0]: tuple(r)[1:] for r in await con.fetch(self.numbers, self.institution)}
        for key, (number, most, held) in numbers.items():
            assert number == held, (key, number, held)
            assert number >= 0, (key, number)
            assert most is None or number <= most, (key, number, most)
        live = [t.stream for t in rows if t.table == "placements" and t.state in journey.LIVE["placement"]]
        assert len(live) == len(set(live))
        self.seen = View(things, moves, stages, numbers)

    @staticmethod
    def _one_event_an_edge(thing: Thing, told: Sequence[Record], before: View, most_moves: int) -> None:
        edges = thing.lifecycle.edges()
        assert told, thing
        assert (told[-1]["to_state"], told[-1]["seq"]) == (thing.state, thing.event_seq), thing
        state = NEW
        for e in told:
            assert (e["from_state"] or NEW) == state, (thing, e)
            assert (state, e["to_state"]) in edges or state == e["to_state"], (thing, e)
            state = e["to_state"]
        if before.things:
            fresh = len(told) - len(before.moves.get(thing.id, ()))
            assert 0 <= fresh <= most_moves, (thing, fresh)

    async def _stages_hold(self, rows: Sequence[Thing], stages: Mapping[UUID, str]) -> None:
        today = (self.now + timedelta(hours=8)).date()
        waiting = {r[0] for r in await self.ground.auditor.fetch(_WAITING, self.institution, today)}
        for person in self.people:
            held = [
                journey.Held(t.lifecycle.name, t.id, t.state, t.departs)
                for t in rows
                if t.stream == person and t.lifecycle.name in journey.LIVE
            ]
            held += [journey.Held("availability", person, "available")] if person in waiting else []
            assert stages[person] == journey.stage(held), held


__all__ = ["ASKED_FOR", "BEGINS", "NOTE", "STEPS", "TIMEOUT", "WALKS", "Draw", "Ground", "Thing", "Walk"]
