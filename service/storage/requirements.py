"""What requirement packs may know of a person and their way: evidence, tests and payments, from SQL to facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Text, case, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql.elements import ColumnElement

from service.domain.languages import Held, issuer_end
from service.domain.requirements import Evidence, Pack, Packs, Payment, Staff, TestResult, reopen
from service.domain.requirements.facts import VISA
from service.storage.aliases import theirs
from service.storage.language_tests import language_tests
from service.storage.opening import json_rows, word
from service.storage.tables.certificates import certificates
from service.storage.tables.institutions import relationships
from service.storage.tables.placements import costs, requirement_items
from service.storage.tenancy import mine


def json_object(columns: Mapping[str, Any]) -> ColumnElement[Any]:
    """Named values as one JSON object."""
    return func.json_build_object(*[part for name, column in columns.items() for part in (word(name), column)])


VOIDED = word("voided")
NUMBER = re.compile(r"[0-9]{1,14}(\.[0-9]{1,4})?")


def evidence_of(*subjects: ColumnElement[Any]) -> ColumnElement[Any]:
    """The items of some subjects as JSON rows; those of a later subject come later."""
    i = requirement_items.alias("held_item")
    wanted = array(subjects)
    return json_rows(
        select(
            i.c.key,
            i.c.id,
            i.c.state,
            i.c.issued_on,
            i.c.valid_from,
            i.c.valid_until,
            func.cardinality(i.c.documents).label("documents"),
            case((i.c.key == word(VISA), i.c.value[word("purpose")].astext)).label("purpose"),
        )
        .where(mine(i), i.c.subject_id == func.any(wanted), i.c.state != VOIDED)
        .order_by(func.array_position(wanted, i.c.subject_id))
    )


def payments_of(person: ColumnElement[Any]) -> ColumnElement[Any]:
    """What was paid for a person and not paid back, as JSON rows."""
    k = costs.alias("held_cost")
    paid = select(k.c.type, k.c.payer, k.c.receiver, cast(k.c.amount, Text).label("amount"), k.c.currency)
    return json_rows(paid.where(mine(k), k.c.person_id == person, k.c.state == word("recorded")))


def declared_by(relationship: ColumnElement[Any]) -> ColumnElement[Any]:
    """What the organisation of a relationship declared of itself, as JSON."""
    t = relationships.alias("declaring")
    return select(t.c.facts).where(mine(t), t.c.id == relationship).scalar_subquery()


def tests_of(person: ColumnElement[Any]) -> ColumnElement[Any]:
    """The language and skills tests of a person that somebody recorded, as JSON rows."""
    k = certificates.alias("held_certificate")
    return json_rows(
        select(
            k.c.test,
            func.coalesce(k.c.taken_on, k.c.issued_on).label("taken_on"),
            k.c.level,
            cast(k.c.total_score, Text).label("score"),
            k.c.field,
            k.c.result_on,
            k.c.valid_until,
            (k.c.state == word("verified")).label("verified"),
        ).where(
            mine(k),
            theirs(k.c.person_id, person),
            k.c.test.is_not(None),
            k.c.passed.is_distinct_from(literal_column("false")),
            k.c.state.in_([word("recorded"), word("verified")]),
            func.coalesce(k.c.taken_on, k.c.issued_on).is_not(None),
        )
    )


def _day(written: str | None) -> date | None:
    return date.fromisoformat(written) if written else None


def read_evidence(rows: Sequence[Mapping[str, Any]]) -> dict[str, Evidence]:
    """Evidence by the name of its item."""
    return {
        r["key"]: Evidence(
            state=r["state"],
            issued_on=_day(r["issued_on"]),
            valid_from=_day(r["valid_from"]),
            valid_until=_day(r["valid_until"]),
            documents=r["documents"] or 0,
            purpose=r.get("purpose"),
        )
        for r in rows
    }


def read_items(rows: Sequence[Mapping[str, Any]]) -> dict[str, UUID]:
    """The ids of the items by their names."""
    return {r["key"]: UUID(r["id"]) for r in rows}


def read_tests(rows: Sequence[Mapping[str, Any]]) -> tuple[TestResult, ...]:
    """The sittings of tests."""
    return tuple(
        TestResult(
            test=r["test"],
            taken_on=date.fromisoformat(r["taken_on"]),
            level=r["level"],
            score=Decimal(r["score"]) if r["score"] is not None else None,
            verified=r["verified"],
            field=r["field"],
            valid_until=good_until(r),
        )
        for r in rows
    )


def good_until(row: Mapping[str, Any]) -> date | None:
    """The last good day of a certificate in a JSON row: what it states, or its issuer's rule, whichever is earlier."""
    held = Held(
        state="verified",
        test=row["test"],
        taken_on=_day(row["taken_on"]),
        result_on=_day(row["result_on"]),
        valid_until=_day(row["valid_until"]),
    )
    return issuer_end(language_tests(), held)


def read_payments(rows: Sequence[Mapping[str, Any]]) -> tuple[Payment, ...]:
    """Payments that a rule may forbid."""
    return tuple(Payment(r["type"], r["payer"], r["receiver"], Decimal(r["amount"]), r["currency"]) for r in rows)


def read_staff(facts: Mapping[str, Any] | None) -> Staff:
    """What an enterprise declared of itself; what is no number or no day was not declared."""
    said = facts or {}

    def number(name: str) -> Decimal | None:
        written = said.get(name)
        plain = str(written) if isinstance(written, int | str) and not isinstance(written, bool) else ""
        return Decimal(plain) if NUMBER.fullmatch(plain) else None

    def people(name: str) -> int | None:
        known = number(name)
        return None if known is None else int(known)

    try:
        declared_on = _day(said.get("declared_on"))
    except (TypeError, ValueError):
        declared_on = None
    currency = said.get("capital_currency")
    return Staff(
        declared_on=declared_on,
        local_staff=people("local_staff"),
        foreign_staff=people("foreign_staff"),
        paid_in_capital=number("paid_in_capital"),
        capital_currency=currency if isinstance(currency, str) else None,
    )


def packs_of(pins: Sequence[str] | None, library: Sequence[Pack]) -> Packs | None:
    """The packs that were pinned; None where there are none, or one is no longer there."""
    try:
        return reopen(library, pins) if pins else None
    except KeyError:
        return None
