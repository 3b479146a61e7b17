"""What a client may say to an action: strict models made from the inputs that its rule declares."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, LiteralString, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    Strict,
    StringConstraints,
    create_model,
)
from pydantic_core import PydanticCustomError

from service.api.examples import example_of
from service.domain.actors import RECORDABLE
from service.domain.lifecycle import EVERY_ACTION, Lifecycle, Takes

Moment = TypeVar("Moment", bound=date)
TEXT_MAX = 2000
LIST_MAX = 500


def _printable(value: str) -> str:
    if any(ch == "\x00" or "\ud800" <= ch <= "\udfff" for ch in value):
        raise PydanticCustomError("text_unprintable", "Text must not contain NUL or unpaired surrogates")
    return value


def _plausible(value: Moment) -> Moment:
    if not 1900 <= value.year <= 2200:  # noqa: PLR2004 - the bounds are what this says
        raise PydanticCustomError("date_plausible", "Dates run from 1900 to 2200")
    return value


def _written(code: LiteralString, form: str, text: LiteralString, *numbers: type) -> Any:
    """Texts of one form only: parsers also take digits of other scripts, and seconds since 1970 as a date."""
    known = re.compile(form)

    def check(value: Any) -> Any:
        if (isinstance(value, str) and known.fullmatch(value)) or type(value) in numbers:
            return value
        raise PydanticCustomError(code, text)

    return BeforeValidator(check)


Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_MAX), AfterValidator(_printable)]
"""One constrained text everywhere: what PostgreSQL cannot hold is refused here."""
_A_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DAY = _written("date_parsing", _A_DAY, "Input should be a valid date in the format YYYY-MM-DD")
_INSTANT = _written(
    "datetime_parsing",
    _A_DAY + "[Tt ][0-9:.]{5,15}([Zz]|[+-][0-9]{2}:?[0-9]{2})",
    "Input should be a valid datetime with its offset",
)
_NUMBER = _written("decimal_parsing", r"-?[0-9]{1,20}(\.[0-9]{1,10})?", "Input should be a valid decimal", int, float)
# Not strict: what a validator before it has looked at is no longer JSON to pydantic, and strictly no text is a date.
Day = Annotated[date, Strict(strict=False), _DAY, AfterValidator(_plausible)]
Instant = Annotated[AwareDatetime, Strict(strict=False), _INSTANT, AfterValidator(_plausible)]
Number = Annotated[Decimal, Field(max_digits=14, decimal_places=4), Strict(strict=False), _NUMBER]
MARKS: dict[str, Any] = {
    "country": Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")],
    "currency": Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")],
    "email": EmailStr,
    "phone": Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")],
    "language": Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")],
    "zone": Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]+(/[A-Za-z0-9_+\-]+){0,2}$", max_length=60)],
    "json": dict[str, Any],
    "line": Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)],
}


class In(BaseModel):
    """Whatever a client sends: only what is declared, only as it is declared."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra=lambda schema, model: schema.update(examples=[example_of(model)]),
    )


def kind_of(kind: Any) -> Any:
    """The pydantic type of an input's kind."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        mark = next((m for m in arguments[1:] if isinstance(m, str)), None)
        return MARKS[mark] if mark else kind_of(arguments[0])
    if origin in (Union, types.UnionType):
        return Union[tuple(kind_of(a) for a in arguments)]  # noqa: UP007
    if origin in (tuple, list):
        inner = kind_of(arguments[0])
        return Annotated[list[inner], Field(max_length=LIST_MAX)]  # type: ignore[valid-type]
    if origin is Literal:
        return kind
    if origin in (dict, Mapping) or kind is dict:
        return dict[
            Annotated[str, StringConstraints(max_length=100), AfterValidator(_printable)], Text | bool | int | None
        ]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return model_of(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Literal[tuple(m.value for m in kind)]
    plain = {
        str: Text,
        date: Day,
        datetime: Instant,
        Decimal: Number,
        int: Annotated[int, Field(ge=-(2**31), lt=2**31)],
        bool: bool,
        UUID: UUID,
        type(None): type(None),
    }
    return plain[kind]


@cache
def model_of(kind: Any) -> type[BaseModel]:
    """A strict model for a frozen dataclass of the domain."""
    hints = get_type_hints(kind, include_extras=True)
    fields: dict[str, Any] = {}
    for f in dataclasses.fields(kind):
        default = ... if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING else f.default
        fields[f.name] = (kind_of(hints[f.name]), default)
    return create_model(f"{kind.__name__}In", __base__=In, __doc__=kind.__doc__, **fields)


def _field(takes: Takes[Any]) -> tuple[Any, Any]:
    type_ = kind_of(takes.kind)
    if isinstance(takes.choices, list | tuple) and get_origin(takes.kind) is None and takes.kind is str:
        # Two lists of the same codes in another order are one to `typing`, which gives out the first that it was asked
        # for; the mark keeps each in its own order.
        type_ = Annotated[Literal[tuple(takes.choices)], " ".join(takes.choices)]
    known = isinstance(takes.choices, list | tuple) and get_origin(takes.kind) is tuple
    said: dict[str, Any] = {"description": takes.about or None, "examples": [takes.choices[:1]] if known else None}
    return (type_, Field(**said)) if takes.needed else (type_ | None, Field(default=None, **said))


@cache
def action_model(
    lifecycle: Lifecycle[Any], action: str, anchor: str | None = None, extra: tuple[str, ...] = ()
) -> type[BaseModel]:
    """The body of an action: what every action takes, and what its rows take. `anchor` names what it is born from."""
    rules = lifecycle.by_action.get(action, [])
    fields: dict[str, Any] = {t.name: _field(t) for t in EVERY_ACTION}
    parties = sorted({w for r in rules for w in r.who} & RECORDABLE)
    if parties:
        fields["recorded_for"] = (
            Literal[tuple(p.value for p in parties)] | None,
            Field(default=None, description="The party whose step this is."),
        )
    if anchor is not None:
        fields[anchor] = (UUID, Field())
    for name in extra:
        fields.setdefault(name, (UUID, Field()))
    declared: dict[str, Takes[Any]] = {}
    for rule in rules:
        for takes in rule.takes:
            known = declared.setdefault(takes.name, takes)
            if known.needed and not takes.needed:
                declared[takes.name] = takes
    everywhere = {t.name for t in declared.values() if all(any(u.name == t.name for u in r.takes) for r in rules)}
    for name, takes in declared.items():
        fields[name] = _field(takes if name in everywhere else dataclasses.replace(takes, needed=False))
    if action in ("correct", "contest", "uphold"):
        fields["note"] = (Text, Field(description="Why, in writing."))
    name = "".join(part.capitalize() for part in f"{lifecycle.name}_{action}".split("_"))
    return create_model(f"{name}In", __base__=In, **fields)


def given_of(model: BaseModel, rules_takes: Sequence[Takes[Any]]) -> dict[str, Any]:
    """What was given, as the domain knows it: dataclasses for objects, tuples for lists; the rest is absent."""
    kinds = {t.name: t.kind for t in rules_takes}
    return {
        name: _domain(getattr(model, name), kinds.get(name))
        for name in type(model).model_fields
        if getattr(model, name) is not None
    }


def _domain(value: Any, kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        kind = next((a for a in get_args(kind) if dataclasses.is_dataclass(a)), None)
    if isinstance(value, list):
        inner = get_args(kind)[0] if get_args(kind) else None
        return tuple(_domain(v, inner) for v in value)
    if isinstance(value, BaseModel) and dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        parts = {n: _domain(getattr(value, n), hints[n]) for n in type(value).model_fields}
        return kind(**parts)  # type: ignore[operator]
    return value
