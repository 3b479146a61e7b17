"""Terms of a job: which are known, which a pack makes a request state, and which of two is the worse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from service.domain.lifecycle import Reason
from service.domain.requirements import TERMS

Terms: TypeAlias = Mapping[str, Any]
WRITTEN = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
"""A number as it may be written: plain digits, not endlessly many."""
CURRENCY = "pay_currency"
KNOWN = TERMS | {CURRENCY}
PAY = ("gross_annual_pay", "gross_monthly_pay")
NUMBERS = (*PAY, "contract_months", "leave_days", "weekly_hours")
MORE_IS_BETTER = frozenset({*PAY, "leave_days"})
LESS_IS_BETTER = frozenset({"weekly_hours"})


def number(value: Any) -> Decimal | None:
    """A term as a number above nothing, or None where it is none."""
    written = str(value) if isinstance(value, int | str | Decimal) else ""
    return (Decimal(written) or None) if WRITTEN.fullmatch(written) else None


def faults(terms: Terms) -> Iterator[Reason]:
    """Everything that is wrong with terms as they were written down."""
    for name, value in terms.items():
        pointer = f"/terms/{name}"
        if name not in KNOWN:
            yield Reason("term_known", required=sorted(KNOWN), pointer=pointer)
        elif name in NUMBERS and number(value) is None:
            yield Reason("term_is_number", required=name, pointer=pointer)
        elif name == "starts_on" and not _is_day(value):
            yield Reason("term_is_day", required=name, pointer=pointer)
    if any(terms.get(name) is not None for name in PAY) and not _is_currency(terms.get(CURRENCY)):
        yield Reason("pay_has_currency", required=CURRENCY, pointer=f"/terms/{CURRENCY}")


def _is_day(value: Any) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _is_currency(value: Any) -> bool:
    return isinstance(value, str) and len(value) == len("CNY") and value.isascii() and value.isupper()


def worse(asked: Terms, offered: Terms) -> tuple[str, ...]:
    """The terms of an offer that are less good than what was approved, or that cannot be compared with it."""
    return tuple(sorted(name for name, was in asked.items() if was is not None and _is_worse(name, was, offered)))


def _is_worse(name: str, was: Any, offered: Terms) -> bool:
    now = offered.get(name)
    before, after = number(was), number(now)
    if before is None or after is None:
        return bool(now != was)
    if name in MORE_IS_BETTER:
        return after < before
    return after > before if name in LESS_IS_BETTER else after != before
