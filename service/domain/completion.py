"""Completion of a training class: what counts towards it, and every condition that is not met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from service.domain.lifecycle import Reason

PRESENT = "present"
ABSENT = "absent"
EXCUSES = ("excused_illness", "excused_official", "excused_personal")
ATTENDANCE_KINDS = (PRESENT, "late", "left_early", ABSENT, *EXCUSES)
HUNDRED = Decimal(100)
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of one kind of attendance: held while the person was a member, and attended of them."""

    kind: str
    held: Decimal
    attended: Decimal


@dataclass(frozen=True, slots=True)
class Assessed:
    """An assessment of the class with the person's latest mark, None where there is none.

    What was passed in an earlier attempt stands until it is marked anew.
    """

    name: str
    max_mark: Decimal
    pass_mark: Decimal
    weight: Decimal
    required: bool
    mark: Decimal | None = None

    @property
    def passed(self) -> bool:
        """Whether the latest mark reaches the pass mark."""
        return self.mark is not None and self.mark >= self.pass_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Achieved:
    """All that counts of one membership, and what its class asks for.

    `carried_held` and `carried_attended` are hours of the classes from which the person was transferred;
    `hours_required` is None where the class has no hours in an enterprise.
    """

    min_attendance_percent: int = 0
    excused: Sequence[str] = ()
    hours: Sequence[Hours] = ()
    carried_held: Decimal = Decimal(0)
    carried_attended: Decimal = Decimal(0)
    assessed: Sequence[Assessed] = ()
    hours_required: Decimal | None = None
    hours_confirmed: Decimal = Decimal(0)


def attendance(achieved: Achieved) -> tuple[Decimal, Decimal]:
    """Hours that count, and hours attended of them: what was missed with an excuse that the class accepts is left out."""
    counted, attended = achieved.carried_held, achieved.carried_attended
    for h in achieved.hours:
        attended += h.attended
        counted += h.attended if h.kind in achieved.excused else h.held
    return counted, attended


def attendance_percent(achieved: Achieved) -> Decimal | None:
    """The share of the counted hours that was attended, rounded down so that 79.999 never reads as 80."""
    counted, attended = attendance(achieved)
    if counted == 0:
        return None
    return (Decimal(attended * 10_000 // counted) / HUNDRED).quantize(CENT, ROUND_DOWN)


def score(achieved: Achieved) -> Decimal | None:
    """The weighted score in percent, what has no mark counting as nothing; None where nothing has a weight."""
    weights = sum((Fraction(a.weight) for a in achieved.assessed), Fraction(0))
    if weights == 0:
        return None
    reached = sum(
        (Fraction(a.weight) * Fraction(a.mark or 0) / Fraction(a.max_mark) for a in achieved.assessed), Fraction(0)
    )
    share = reached / weights * 100
    return (Decimal(share.numerator) / Decimal(share.denominator)).quantize(CENT, ROUND_HALF_UP)


def plain(number: Decimal) -> str:
    """A number without needless zeros: 14.00 is 14."""
    return f"{number.normalize():f}" if number else "0"


def _attended_enough(achieved: Achieved) -> bool:
    counted, attended = attendance(achieved)
    if counted == 0:
        return achieved.min_attendance_percent == 0
    return attended * HUNDRED >= achieved.min_attendance_percent * counted


def unmet(achieved: Achieved) -> list[Reason]:
    """One reason for each condition of completion that is not met, with what is required and what is there."""
    found: list[Reason] = []
    if not _attended_enough(achieved):
        percent = attendance_percent(achieved)
        found.append(
            Reason(
                "attendance_reached",
                required=str(achieved.min_attendance_percent),
                actual=None if percent is None else plain(percent),
            )
        )
    found += [
        Reason(
            "assessment_passed",
            required=f"{a.name} {plain(a.pass_mark)}/{plain(a.max_mark)}",
            actual=None if a.mark is None else f"{a.name} {plain(a.mark)}/{plain(a.max_mark)}",
        )
        for a in achieved.assessed
        if a.required and not a.passed
    ]
    if achieved.hours_required is not None and achieved.hours_confirmed < achieved.hours_required:
        found.append(
            Reason(
                "enterprise_hours_confirmed",
                required=plain(achieved.hours_required),
                actual=plain(achieved.hours_confirmed),
            )
        )
    return found
