"""Whom the transitions of adopted versions move: placements before the departure, and candidacies that are pinned."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Integer,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
)

from service.domain.candidacies import PINNED
from service.domain.placements import AT_HOME
from service.storage.database import Statement, value
from service.storage.opening import TODAY, word
from service.storage.pack_library import adopted_version as _v
from service.storage.pack_library import in_library
from service.storage.tables.candidacies import candidacies
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.placements import placements
from service.storage.tables.trainees import trainees
from service.storage.tenancy import GATE, mine

_p, _c, _r, _t = placements, candidacies, placement_requests, trainees
LIMIT = bindparam("limit", type_=BigInteger)


def _said(name: str) -> Any:
    return _v.c.content[word(name)]


def _day(written: Any) -> Any:
    return cast(written.astext, Date)


def _among(name: str, wanted: Any) -> Any:
    """A list of codes in the content, empty where anything goes, has the code."""
    listed = func.coalesce(_said(name), literal_column("'[]'::jsonb"))
    return or_(listed == literal_column("'[]'::jsonb"), listed.op("?")(wanted))


def _moved_by(pins: Any, planned: Any, destination: Any) -> Any:
    """Whether a version moves who has these pins: what `moved` of the domain says, for the versions adopted here."""
    held = func.unnest(pins).table_valued(column("pin"), name="held").render_derived()
    key, number = (func.split_part(held.c.pin, word("@"), literal_column(n)) for n in ("1", "2"))
    home = func.coalesce(cast(_said("host_country_nationals").astext, Boolean), literal_column("false"))
    move = _said("transition")
    older: Any = (
        select(literal_column("1")).select_from(held).where(key == _v.c.key, cast(number, Integer) < _v.c.number)
    )
    return and_(
        mine(_v),
        in_library,
        move[word("rule")].astext == word("move"),
        func.coalesce(_day(move[word("on")]), TODAY) <= TODAY,
        older.exists(),
        func.greatest(_v.c.from_on, _day(_said("valid_from"))) <= planned,
        func.coalesce(func.least(_v.c.until_on, _day(_said("valid_to"))), planned) >= planned,
        _among("destinations", destination),
        _among("nationalities", _t.c.nationality),
        or_(~home, _t.c.nationality == destination),
    )


def _moving(*conditions: Any) -> Any:
    one: Any = select(literal_column("1")).select_from(_v)
    # Asked once: where no version moves anybody, nobody is looked at.
    some = one.where(mine(_v), in_library, _said("transition")[word("rule")].astext == word("move")).exists()
    return and_(some, one.where(*conditions).exists())


_of_placement = _moved_by(_p.c.pins, func.coalesce(_p.c.planned_departure_on, _p.c.starts_on), _p.c.destination)
_has_stage = or_(_said("kind").astext != word("pathway"), _said("stages").op("?")(_p.c.state))
PLACEMENTS_TO_MOVE: Statement[UUID] = Statement(
    select(_p.c.id)
    .select_from(_p.join(_t, and_(mine(_t), _t.c.id == _p.c.person_id)))
    .where(GATE, mine(_p), _p.c.state.in_([word(s) for s in AT_HOME]), _moving(_of_placement, _has_stage))
    .order_by(_p.c.id)
    .limit(LIMIT),
    value,
)
_of_candidacy = _moved_by(_c.c.pins, func.coalesce(_r.c.planned_departure_on, _r.c.starts_on), _r.c.destination)
CANDIDACIES_TO_MOVE: Statement[UUID] = Statement(
    select(_c.c.id)
    .select_from(
        _c.join(_t, and_(mine(_t), _t.c.id == _c.c.person_id)).join(_r, and_(mine(_r), _r.c.id == _c.c.request_id))
    )
    .where(GATE, mine(_c), _c.c.state.in_([word(s) for s in PINNED]), _moving(_of_candidacy))
    .order_by(_c.c.id)
    .limit(LIMIT),
    value,
)
