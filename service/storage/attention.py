"""What needs attention in an institution: flights in danger, what is overdue, papers that run out; one statement."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import asyncpg
from sqlalchemy import Select, and_, case, func, literal_column, or_, select

from service.domain.actors import Sight
from service.domain.candidacies import BELOW_ACCEPTED
from service.domain.placements import AT_HOME, AWAY
from service.domain.tasks import ATTENTION
from service.storage.database import Statement
from service.storage.obligations import OVERDUE
from service.storage.opening import TODAY, word
from service.storage.scopes import actor_of, sees
from service.storage.tables.candidacies import candidacies
from service.storage.tables.obligations import obligations
from service.storage.tables.placement_requests import placement_requests
from service.storage.tables.placements import placements, requirement_items
from service.storage.tasks import paged, row_of
from service.storage.tenancy import mine

_p, _o, _i = placements, obligations, requirement_items
_c, _r = candidacies, placement_requests
SOON = 30
"""Days ahead of its end in which a paper of somebody abroad is shown."""
_aim = case((_p.c.departs, _p.c.planned_departure_on), else_=_p.c.starts_on)
_home = _p.c.state.in_([word(s) for s in AT_HOME])
_late = _p.c.late_on <= TODAY
_flight_of_request = (
    select(func.coalesce(_r.c.planned_departure_on, _r.c.starts_on))
    .where(mine(_r), _r.c.id == _c.c.request_id)
    .scalar_subquery()
)
_chosen, _gone = _c.c.state.in_([word(s) for s in BELOW_ACCEPTED]), _c.c.late_on <= TODAY


def _numbered(kind: str, *more: Any, **named: Any) -> Select[Any]:
    return row_of(ATTENTION.index(kind), *more, **named)


def _last_use() -> Any:
    """The last day on which a paper is known to be needed by a live placement of its subject, or soon."""
    p = _p.alias("using")
    aim = case((p.c.departs, p.c.planned_departure_on), else_=p.c.starts_on)
    day = case((p.c.state.in_([word(s) for s in AT_HOME]), aim), else_=TODAY + literal_column(str(SOON)))
    used = or_(
        and_(_i.c.subject_kind == word("placement"), p.c.id == _i.c.subject_id),
        and_(_i.c.subject_kind == word("candidacy"), p.c.candidacy_id == _i.c.subject_id),
        and_(_i.c.subject_kind == word("person"), p.c.person_id == _i.c.subject_id),
    )
    live = p.c.state.in_([word(s) for s in (*AT_HOME, *AWAY)])
    return select(func.max(day)).where(mine(p), live, used).scalar_subquery()


@lru_cache(maxsize=32)
def attention_of(sight: Sight, filters: tuple[str, ...], *, after: bool) -> Statement[asyncpg.Record]:
    """A page of what needs attention, by the day that is missed or in danger."""
    actor = actor_of(sight)
    held = select(actor.c.account_id).scalar_subquery().is_not(None)
    branches = [
        _numbered("flight_late", "placement", _p, "reschedule", _aim, overdue=_late).where(
            held, sees(_p, sight, actor), _home, _late
        ),
        _numbered("flight_critical", "placement", _p, "reschedule", _aim).where(
            held, sees(_p, sight, actor), _home, _p.c.critical_on <= TODAY, or_(_p.c.late_on.is_(None), ~_late)
        ),
        _numbered("flight_late", "candidacy", _c, "withdraw_by_school", _flight_of_request, overdue=_gone).where(
            held, sees(_c, sight, actor), _chosen, _gone
        ),
        _numbered("flight_critical", "candidacy", _c, "withdraw_by_school", _flight_of_request).where(
            held, sees(_c, sight, actor), _chosen, _c.c.critical_on <= TODAY, or_(_c.c.late_on.is_(None), ~_gone)
        ),
        _numbered("obligation_overdue", "obligation", _o, "fulfil", _o.c.due_on, overdue=OVERDUE).where(
            held, sees(_o, sight, actor), _o.c.due_on.is_not(None), OVERDUE
        ),
        _numbered("evidence_expiring", "requirement_item", _i, "resupply", _i.c.valid_until).where(
            held, sees(_i, sight, actor), _i.c.state == word("accepted"), _i.c.valid_until < _last_use()
        ),
    ]
    return paged(branches, actor, filters, after=after)
