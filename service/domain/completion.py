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

    What was passed in an earlier attempt stands until it is marked anew. The mark of an assessment with `parts` comes
    of theirs, each by its weight, and is there when all of them are.
    """

    name: str
    max_mark: Decimal
    pass_mark: Decimal
    weight: Decimal
    required: bool
    mark: Decimal | None = None
    parts: Sequence[Assessed] = ()

    @property
    def share(self) -> Fraction:
        """What was reached of the highest mark, exactly; what has no mark counts as nothing."""
        if not self.parts:
            return Fraction(self.mark or 0) / Fraction(self.max_mark)
        weights = sum((Fraction(p.weight) for p in self.parts), Fraction(0))
        return sum((Fraction(p.weight) * p.share for p in self.parts), Fraction(0)) / weights

    @property
    def is_marked(self) -> bool:
        """Whether there is a mark."""
        return all(p.is_marked for p in self.parts) if self.parts else self.mark is not None

    @property
    def reached(self) -> Decimal | None:
        """The mark as it is shown, rounded down, so that 11.999 never reads as 12; None where there is none."""
        if not self.is_marked:
            return None
        if not self.parts:
            return self.mark
        hundredths = self.share * Fraction(self.max_mark) * 100
        return Decimal(hundredths.numerator // hundredths.denominator) / HUNDRED

    @property
    def passed(self) -> bool:
        """Whether the mark reaches the pass mark, and that of every component that is required reaches its own."""
        enough = self.share * Fraction(self.max_mark) >= Fraction(self.pass_mark)
        return self.is_marked and enough and all(p.passed for p in self.parts if p.required)

    @property
    def is_failed(self) -> bool:
        """Whether it has a mark, or a required component has one, with which it is not passed."""
        return (self.is_marked and not self.passed) or any(p.is_failed for p in self.parts if p.required)


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
    reached = sum((Fraction(a.weight) * a.share for a in achieved.assessed), Fraction(0))
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


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of completion: whether it is met, and what is required and there."""

    is_met: bool
    reason: Reason


def told(assessed: Assessed, mark: Decimal | None, whole: str = "") -> str | None:
    """A mark of an assessment as it is written in reasons: `oral 14/20`."""
    return None if mark is None else f"{whole}{assessed.name} {plain(mark)}/{plain(assessed.max_mark)}"


def _assessment(a: Assessed, whole: str = "") -> Condition:
    required, actual = told(a, a.pass_mark, whole), told(a, a.reached, whole)
    return Condition(a.passed, Reason("assessment_passed", required=required, actual=actual))


def conditions(achieved: Achieved) -> list[Condition]:
    """Every condition of completion: the share of hours, each required assessment, the hours in the enterprise."""
    percent = attendance_percent(achieved)
    share = Reason(
        "attendance_reached",
        required=str(achieved.min_attendance_percent),
        actual=None if percent is None else plain(percent),
    )
    found = [Condition(_attended_enough(achieved), share)]
    for a in achieved.assessed:
        if a.required:
            found.append(_assessment(a))
            found += [_assessment(p, f"{a.name}: ") for p in a.parts if p.required]
    if achieved.hours_required is not None:
        hours = Reason(
            "enterprise_hours_confirmed",
            required=plain(achieved.hours_required),
            actual=plain(achieved.hours_confirmed),
        )
        found.append(Condition(achieved.hours_confirmed >= achieved.hours_required, hours))
    return found


def unmet(achieved: Achieved) -> list[Reason]:
    """One reason for each condition of completion that is not met, with what is required and what is there."""
    return [c.reason for c in conditions(achieved) if not c.is_met]
