"""Who is at risk of not completing a class, told while it can still be helped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from service.domain.completion import Achieved, Assessed, attendance, plain, told
from service.domain.lifecycle import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What is still to come of a class for one member.

    `hours_left` are those of the meetings that were not held yet. `resits_until` is None where no resit is possible.
    """

    today: date
    starts_on: date
    ends_on: date
    hours_left: Decimal
    resits_until: date | None = None


def _up(hours: Fraction) -> Decimal:
    """Hours to the hundredth, rounded up: whoever attends that many has enough."""
    return Decimal(-((-hours.numerator * 100) // hours.denominator)) / 100


def hours_needed(achieved: Achieved, hours_left: Decimal) -> Fraction:
    """The hours that must be attended of those left for the share required of all hours, exactly; 0 is the least."""
    counted, attended = attendance(achieved)
    wanted = Fraction(achieved.min_attendance_percent, 100) * Fraction(counted + hours_left)
    return max(wanted - Fraction(attended), Fraction(0))


def hours_to_miss(achieved: Achieved, hours_left: Decimal) -> Decimal:
    """The hours that may still be missed, rounded down; below 0 where the share is out of reach."""
    spare = (Fraction(hours_left) - hours_needed(achieved, hours_left)) * 100
    return Decimal(spare.numerator // spare.denominator).scaleb(-2)


def _attendance(achieved: Achieved, ahead: Ahead, margin: Decimal | None) -> Reason | None:
    """Below the share now, one must attend more of the rest than the rule asks of the whole, or cannot reach it."""
    counted, attended = attendance(achieved)
    needed, left = hours_needed(achieved, ahead.hours_left), ahead.hours_left
    if needed > Fraction(left):
        best = (attended + left) * 10_000 // (counted + left) / 100
        return Reason(
            "attendance_out_of_reach", required=str(achieved.min_attendance_percent), actual=plain(Decimal(best))
        )
    is_below = attended * 100 < achieved.min_attendance_percent * counted
    is_close = margin is not None and needed > 0 and Fraction(left) - needed <= Fraction(margin)
    if is_below or is_close:
        return Reason("attendance_only_by", required=plain(_up(needed)), actual=plain(left))
    return None


def _failed(a: Assessed, ahead: Ahead, whole: str = "") -> Reason:
    until = ahead.resits_until
    actual = told(a, a.reached, whole)
    if until is not None and until >= ahead.today:
        return Reason("assessment_resit_possible", required=until, actual=actual)
    return Reason("assessment_no_resit", required=told(a, a.pass_mark, whole), actual=actual)


def _assessments(achieved: Achieved, ahead: Ahead) -> list[Reason]:
    """Each required assessment that was failed so far; of one with components, those that are at fault."""
    found = []
    for a in achieved.assessed:
        if not a.required or not a.is_failed:
            continue
        at_fault = [p for p in a.parts if p.required and p.is_failed]
        found += [_failed(p, ahead, f"{a.name}: ") for p in at_fault] or [_failed(a, ahead)]
    return found


def _enterprise(achieved: Achieved, ahead: Ahead) -> Reason | None:
    """In a dual class: fewer hours confirmed than an even pace over its days would give by today."""
    if achieved.hours_required is None:
        return None
    days = (ahead.ends_on - ahead.starts_on).days + 1
    over = min(max((ahead.today - ahead.starts_on).days, 0), days)
    expected = Fraction(achieved.hours_required) * Fraction(over, days)
    if Fraction(achieved.hours_confirmed) >= expected:
        return None
    by_now = Decimal(expected.numerator * 100 // expected.denominator) / 100
    return Reason("enterprise_hours_behind", required=plain(by_now), actual=plain(achieved.hours_confirmed))


def at_risk(achieved: Achieved, ahead: Ahead, margin: Decimal | None = None) -> list[Reason]:
    """Why somebody is at risk, one reason each; `margin` also tells of whoever may miss no more hours than these."""
    found = [_attendance(achieved, ahead, margin), *_assessments(achieved, ahead), _enterprise(achieved, ahead)]
    return [r for r in found if r is not None]
