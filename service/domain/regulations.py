"""A programme's regulation of recognition: hours of a credit, caps, overlap, signatures; in versions with dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from service.domain.conversion import CreditScheme, Source
from service.domain.lifecycle import Takes

HOME = "home"
"""The name of a programme's own credits in a conversion."""
SIGNERS = ("registrar", "coordinator", "admin")
"""Who may be asked to sign a decision, beside whoever decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryCap:
    """The most credits that may be recognised for courses of one kind, or as electives."""

    kind: Literal["theory", "practice", "placement", "elective"]
    credits: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """What was learnt in one way elsewhere, and may count for a course that is taught in another way here."""

    source: Literal["theory", "practice", "placement"]
    target: Literal["theory", "practice", "placement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regulation:
    """One version. None is no limit."""

    no: int
    effective_from: date
    hours_per_credit: Decimal
    full_year_credits: Decimal | None
    credits_per_course: Decimal | None
    credits_per_kind: tuple[CategoryCap, ...]
    credits_in_all: Decimal | None
    credits_gap: Decimal | None
    overlap_percent: Decimal | None
    elective_for_required: bool
    signatures: tuple[str, ...]
    substitutions: tuple[Substitution, ...] | None = None

    @property
    def scheme(self) -> CreditScheme:
        """The credit scheme at home, as conversions name it: `home`."""
        said = Source(source="The programme's regulation", source_url=None, checked_on=None, evidence="official")
        return CreditScheme(
            code=HOME, version=str(self.no), title="Credits of the programme", effective_from=None, effective_to=None,
            full_year_credits=self.full_year_credits, hours_min=None, hours_max=None,
            contact_min=self.hours_per_credit, contact_max=self.hours_per_credit, source=said,
        )  # fmt: skip


def in_force(versions: Iterable[Regulation], day: date | None) -> Regulation | None:
    """The version that held on a day: the newest of those that had begun; none where none had."""
    begun = [r for r in versions if day is None or r.effective_from <= day]
    return max(begun, key=lambda r: r.no, default=None)


TAKEN: tuple[Takes[Any], ...] = (
    Takes("effective_from", date, "The first day on which a result is judged by it."),
    Takes(
        "hours_per_credit",
        Decimal,
        "Teaching hours of one credit at home.",
        needed=False,
        least=Decimal(1),
        most=Decimal(60),
    ),
    Takes(
        "full_year_credits",
        Decimal,
        "Credits of a full year at home.",
        needed=False,
        least=Decimal(1),
        most=Decimal(240),
    ),
    Takes(
        "credits_per_course",
        Decimal,
        "The most that may be recognised for one course.",
        needed=False,
        least=Decimal(0),
        most=Decimal(300),
    ),
    Takes("credits_per_kind", tuple[CategoryCap, ...], "The most for courses of a kind.", needed=False),
    Takes("credits_in_all", Decimal, "The most in all.", needed=False, least=Decimal(0), most=Decimal(300)),
    Takes(
        "credits_gap",
        Decimal,
        "How many credits less may count as a course in full.",
        needed=False,
        least=Decimal(0),
        most=Decimal(60),
    ),
    Takes(
        "overlap_percent",
        Decimal,
        "The least overlap of content for a required course.",
        needed=False,
        least=Decimal(0),
        most=Decimal(100),
    ),
    Takes("elective_for_required", bool, "Whether an elective of our own may replace a required course.", needed=False),
    Takes(
        "substitutions",
        tuple[Substitution, ...],
        "Which kinds of courses may count for courses of another kind.",
        needed=False,
    ),
    Takes(
        "signatures",
        tuple[str, ...],
        "Who signs a decision after whoever decided, in order.",
        needed=False,
        choices=SIGNERS,
        code="signer_known",
    ),
)
NAMES: Sequence[str] = tuple(t.name for t in TAKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """What holds where a programme says nothing, and where it was read."""

    value: Any
    source: Source


def completed(given: Mapping[str, Any], defaults: Mapping[str, Default]) -> dict[str, Any]:
    """Every value of a version: the programme's own, else the default, else none."""
    values: dict[str, Any] = {n: d.value for n, d in defaults.items()}
    return (
        dict.fromkeys(NAMES)
        | {"credits_per_kind": (), "signatures": ()}
        | values
        | {n: given[n] for n in NAMES if given.get(n) is not None}
    )
