"""Credits and grades from one scheme into another, exact, with a trace of every step that can be computed again."""

from service.domain.conversion.credits import (
    CreditPolicy,
    CreditRounding,
    CreditScheme,
    Leg,
    Source,
    WorkRate,
    convert_credits,
    holds_on,
    scheme_of,
)
from service.domain.conversion.grades import (
    Distribution,
    GradePair,
    GradePolicy,
    GradeShare,
    GradingScale,
    NumericScale,
    convert_grade,
)
from service.domain.conversion.trace import Step, Trace, canonical, exact, plain, recomputed, written

__all__ = [
    "CreditPolicy",
    "CreditRounding",
    "CreditScheme",
    "Distribution",
    "GradePair",
    "GradePolicy",
    "GradeShare",
    "GradingScale",
    "Leg",
    "NumericScale",
    "Source",
    "Step",
    "Trace",
    "WorkRate",
    "canonical",
    "convert_credits",
    "convert_grade",
    "exact",
    "holds_on",
    "plain",
    "recomputed",
    "scheme_of",
    "written",
]
