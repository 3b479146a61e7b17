"""What a declared step leaves to be shown, put down as obligations of its subject, and taken away with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from service.domain.debts import open_debts, owed
from service.domain.lifecycle import Step
from service.domain.obligations import OBLIGATION
from service.storage.duties import debt_rules
from service.storage.tables.obligations import obligations

if TYPE_CHECKING:
    from service.actions.work import Item, Work
    from service.domain.obligations import Duty

Where = tuple[str, UUID, Iterable["Duty"], Mapping[str, UUID | None], str]
"""The kind and the id of whose debts they are, the obligations that stand, who of several owes, where the days end."""


def owing(of: Callable[[Work, Item[Any], UUID], Where]) -> Callable[[Work, Item[Any], UUID, Step], None]:
    """How a subject puts down its debts; `of` tells whose they are."""

    def owe(work: Work, item: Item[Any], item_id: UUID, step: Step) -> None:
        kind, subject, standing, organisations, zone = of(work, item, item_id)
        rules, there = debt_rules(), {d.rule for d in open_debts(standing)}
        seq = work.heads[item.stream].seq
        for debt in owed(step.unproven, rules, work.today, there):
            work.bear(
                obligations, OBLIGATION, "arise", item.stream,
                data={"rule": debt.rule, "pin": rules.pin, "event": step.action, "due_on": debt.due_on},
                subject_kind=kind, subject_id=subject, stream_id=item.stream, rule=debt.rule, pin=rules.pin,
                event=step.action, period=str(seq), event_on=work.occurred_on, due_on=debt.due_on,
                owed_by=list(debt.providers), zone=zone, documents=[],
                organisation_id=next((o for p in debt.providers if (o := organisations.get(p))), None),
            )  # fmt: skip

    return owe


def void_debts(work: Work, stream: UUID, standing: Iterable[Duty]) -> None:
    """Whatever was owed is no longer: there was no such step."""
    for duty in standing:
        if duty.state == "pending":
            work.follow(obligations, "void", duty.id, stream, duty.state, duty.version, data={"rule": duty.rule})
