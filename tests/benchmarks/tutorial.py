"""The same three operations on relationships as the tutorials of FastAPI and SQLAlchemy write them.

Same tables, same rules and words, same events with their chain, same keys, same authentication; each request has an
AsyncSession by a dependency with `yield`, objects with relationships, and a response model. Of row-level security it is
spared: it works as the owner of the tables.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, foreign, joinedload, relationship

from service.api.messages import offered
from service.api.schemas.common import MovedOut, PageOut
from service.api.schemas.relationships import RelationshipOut
from service.api.tokens import digest_of, read_token
from service.domain.actors import Actor, Role, Sight
from service.domain.events import Entry, link
from service.domain.lifecycle import LastStep, Refused
from service.domain.relationships import RELATIONSHIP, RelationshipDossier
from service.storage.migrating import async_url
from service.storage.tables import institutions as t
from service.storage.tables.recognition_rules import partner_conversions
from service.storage.tables.record import events, heads, idempotency_keys, unfed
from service.storage.vault import Vault


class Base(DeclarativeBase):
    """What every model is made of."""


class Organisation(Base):
    """An identity."""

    __table__ = t.organisations


class Institution(Base):
    """A tenant."""

    __table__ = t.institutions


class Appointment(Base):
    """What an account is to an institution."""

    __table__ = t.appointments


class Credential(Base):
    """A session or a key."""

    __table__ = t.credentials
    appointment = relationship(
        Appointment,
        primaryjoin=and_(
            t.appointments.c.id == foreign(t.credentials.c.appointment_id),
            t.appointments.c.institution_id == t.credentials.c.institution_id,
        ),
        viewonly=True,
    )


class Relationship(Base):
    """A tie to an organisation."""

    __table__ = t.relationships
    organisation = relationship(
        Organisation, primaryjoin=t.organisations.c.id == foreign(t.relationships.c.organisation_id), viewonly=True
    )


class Event(Base):
    """An entry of the record."""

    __table__ = events


class Head(Base):
    """The end of a stream."""

    __table__ = heads


class Unfed(Base):
    """An entry that waits for its number."""

    __table__ = unfed


class Key(Base):
    """An answer that is kept."""

    __table__ = idempotency_keys


engine = create_async_engine(async_url(os.environ.get("DATABASE_URL", "postgresql://x")), pool_size=8, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
vault = Vault.parse(os.environ["SOJOURN_KEYS"]) if "SOJOURN_KEYS" in os.environ else None


async def session() -> AsyncIterator[AsyncSession]:
    """A session for each request."""
    async with sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


class Asking(BaseModel):
    """Who asks, and of which institution."""

    institution: UUID
    account: UUID
    roles: list[str]

    @property
    def actor(self) -> Actor:
        """As the rules know them."""
        return Actor(self.account, frozenset(Role(r) for r in self.roles), Sight.STAFF)


async def current(db: Session, authorization: Annotated[str, Header()]) -> Asking:
    """Whose token it is."""
    token = read_token(authorization)
    found: Any = await db.scalar(
        select(Credential).options(joinedload(Credential.appointment)).where(t.credentials.c.digest == token.digest)
    )
    if found is None or found.revoked_at is not None or found.expires_at < datetime.now(UTC):
        raise HTTPException(401)
    return Asking(
        institution=token.institution, account=found.appointment.account_id, roles=list(found.appointment.roles)
    )


Caller = Annotated[Asking, Depends(current)]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Close the pool at the end."""
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def _known(db: AsyncSession, caller: Asking, wanted: UUID, *, lock: bool = False) -> Any:
    r = t.relationships.c
    asked = select(Relationship).where(r.institution_id == caller.institution, r.id == wanted)
    asked = asked.with_for_update(of=Relationship) if lock else asked.options(joinedload(Relationship.organisation))
    found = await db.scalar(asked)
    if found is None:
        raise HTTPException(404)
    return found


async def _dossier(db: AsyncSession, caller: Asking, r: Any) -> RelationshipDossier:
    institution: Any = await db.get(Institution, caller.institution)
    zone = ZoneInfo(institution.time_zone if institution else "UTC")
    e, v = events.c, partner_conversions.c
    last: Any = await db.scalar(select(Event).where(
        e.institution_id == caller.institution, e.stream_id == r.id, e.seq == r.event_seq
    ))  # fmt: skip
    conversions = await db.scalar(select(func.coalesce(func.max(v.no), 0)).where(
        v.institution_id == caller.institution, v.relationship_id == r.id
    ))  # fmt: skip
    step = (
        None
        if last is None
        else LastStep(
            last.seq, last.action, last.from_state or "", last.to_state, last.recorded_at.date(), by=last.actor_id
        )
    )
    return RelationshipDossier(
        state=r.state, today=datetime.now(zone).date(), since_on=r.since_on, last_step=step, role=r.role,
        valid_until=r.valid_until, licence_no=r.licence_no, facts=r.facts, last_conversion=conversions or 0,
    )  # fmt: skip


def _shown(r: Any, actions: list[Any] | None = None) -> dict[str, Any]:
    o, today = r.organisation, datetime.now(UTC).date()
    return {
        "id": r.id, "version": r.version, "state": r.state, "since_on": r.since_on, "role": r.role,
        "licence_no": r.licence_no, "valid_until": r.valid_until,
        "expired": r.valid_until is not None and r.valid_until < today, "facts": r.facts, "actions": actions,
        "organisation": {n: getattr(o, n) for n in (
            "id", "kind", "name_native", "name_latin", "country", "time_zone", "registration_no", "natural_person",
            "chinese_funded",
        )},
    }  # fmt: skip


@app.get("/v1/relationships/{id}", response_model=RelationshipOut)
async def get_one(id: UUID, db: Session, caller: Caller, include: str | None = None) -> Any:
    """One, with what can be done."""
    r = await _known(db, caller, id)
    actions = RELATIONSHIP.offers(await _dossier(db, caller, r), caller.actor) if include else []
    return _shown(r, [offered(o, "en") for o in actions])


@app.get("/v1/relationships", response_model=PageOut[RelationshipOut])
async def get_many(db: Session, caller: Caller, state: str, limit: int = 50, after: UUID | None = None) -> Any:
    """A page."""
    r = t.relationships.c
    asked = (
        select(Relationship)
        .options(joinedload(Relationship.organisation))
        .where(r.institution_id == caller.institution, r.state == state)
        .order_by(r.id)
        .limit(limit + 1)
    )
    rows: Any = (await db.scalars(asked.where(r.id > after) if after else asked)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return {"items": [_shown(x) for x in rows[:limit]], "next": str(last.id) if last else None}


class Declared(BaseModel):
    """What an enterprise says of itself."""

    local_staff: int
    foreign_staff: int


@app.post("/v1/relationships/{id}/declare", response_model=MovedOut)
async def declare(
    id: UUID,
    body: Declared,
    db: Session,
    caller: Caller,
    request: Request,
    idempotency_key: Annotated[str, Header()],
    if_match: Annotated[str, Header()],
) -> Any:
    """New facts, with an event, a feed row and the kept answer, in one transaction."""
    k, h = idempotency_keys.c, heads.c
    kept = await db.scalar(select(Key).where(
        k.institution_id == caller.institution, k.account_id == caller.account, k.route == "relationships_declare",
        k.key == idempotency_key,
    ))  # fmt: skip
    if kept is not None:
        raise HTTPException(422)
    r = await _known(db, caller, id, lock=True)
    if r.version != int(if_match.strip('"').split(".")[0]):
        raise HTTPException(412)
    head: Any = await db.scalar(
        select(Head).where(h.institution_id == caller.institution, h.stream_id == id).with_for_update()
    )
    if head is None:
        raise HTTPException(404)
    dossier, now = await _dossier(db, caller, r), datetime.now(UTC)
    try:
        step = RELATIONSHIP.decide("declare", dossier, caller.actor, body.model_dump())
    except Refused as no:
        raise HTTPException(409, [x.code for x in no.reasons]) from None
    said = body.model_dump() | {"declared_on": dossier.today.isoformat()}
    entry = Entry(
        institution_id=caller.institution, stream_id=id, seq=head.seq + 1, event_id=uuid4(), action_id=uuid4(),
        type=step.event, action="declare", subject="relationship", subject_id=id, from_state=step.from_state,
        to_state=step.to_state, actor_id=caller.account, actor_roles=" ".join(caller.roles), recorded_for=None,
        reason_code=None, occurred_on=dossier.today, recorded_at=now, corrects=None, evidence=(), note_sealed=None, data=said,
    )  # fmt: skip
    chain = link(head.chain_head, entry)
    db.add(Event(**{n: getattr(entry, n) for n in Entry.__slots__ if n != "evidence"}, evidence=[], hash=chain))
    await db.flush()
    db.add(Unfed(institution_id=caller.institution, stream_id=id, seq=entry.seq))
    head.seq, head.version, head.chain_head = entry.seq, head.version + 1, chain
    r.facts, r.version, r.event_seq = {**r.facts, **said}, r.version + 1, entry.seq
    told = {"id": id, "state": step.to_state, "version": r.version, "action_id": entry.action_id, "created": {}}
    raw = await request.body()
    assert vault is not None
    db.add(Key(
        institution_id=caller.institution, account_id=caller.account, route="relationships_declare", key=idempotency_key,
        body_digest=sha256(request.url.path.encode() + b"\0" + raw).digest(), kept_until=now + timedelta(days=7),
        sealed=vault.seal(to_json(told), caller.institution, caller.account, "relationships_declare", idempotency_key),
    ))  # fmt: skip
    await db.commit()
    return told


__all__ = ["app", "digest_of"]
