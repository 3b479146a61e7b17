"""Places of an intake's plan: taken once and given back once, each with an event in the intake's own stream."""

from __future__ import annotations

from uuid import UUID

from service.actions.work import Work
from service.storage.tables.intakes import intake_quotas


def _change(work: Work, intake: UUID, source: str, enrolment: UUID, by: int, happened: str) -> None:
    work.writes.count(intake_quotas, intake, {"intake_id": intake, "source": source}, taken=by)
    work.record(
        intake,
        None,
        type_=f"intake.place_{happened}",
        subject="intake",
        subject_id=intake,
        data={"source": source, "enrolment_id": enrolment},
        main=False,
    )


def take(work: Work, intake: UUID, source: str, enrolment: UUID) -> None:
    """One place of the source, for an enrolment."""
    _change(work, intake, source, enrolment, +1, "taken")


def free(work: Work, intake: UUID, source: str, enrolment: UUID) -> None:
    """The place that an enrolment held."""
    _change(work, intake, source, enrolment, -1, "freed")


def taken_here(work: Work, intake: UUID, source: str | None) -> int:
    """How many places of the source this act has taken so far."""
    return work.counted(intake_quotas, {"intake_id": intake, "source": source}, "taken")
