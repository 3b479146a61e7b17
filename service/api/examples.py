"""An example for every body of the document, made from its model: what a client may send, word for word."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, EmailStr, StringConstraints
from pydantic.fields import FieldInfo

ID = "0192f0c1-7c52-7d7e-9f0e-5f3f6f2f9f10"
WORDS: Mapping[str, str] = {
    "name_native": "王伟",
    "name_latin": "WANG, WEI",
    "name": "王强",
    "email": "wei.wang@example.org",
    "password": "correct horse battery staple",
    "new_password": "staple battery horse correct",
    "note": "Seen by the desk.",
    "purpose": "visa application",
    "relation": "father",
    "title": "Diploma in nursing",
    "line1": "P<CHNWANG<<WEI<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
    "line2": "E739401820CHN0405063M3101311<<<<<<<<<<<<<<06",
    "secret": "the-secret-of-the-link",
}
"""By a field's name, where a name says more than a type."""
PATTERNED: Mapping[str, str] = {
    r"^[A-Z]{2}$": "CN",
    r"^[A-Z]{3}$": "CNY",
    r"^\+[1-9][0-9]{6,14}$": "+8613800000000",
    r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$": "zh",
    r"^[A-Za-z_]+(/[A-Za-z0-9_+\-]+){0,2}$": "Asia/Shanghai",
}
COMMON = ("occurred_on", "note", "evidence", "recorded_for")
"""What every action takes: an example shows it only where there is nothing else to show."""


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """What is needed, or else the first thing that may be said."""
    fields = model.model_fields
    somewhere: frozenset[str] = getattr(model, "needed_somewhere", frozenset())
    listed: tuple[str, ...] = getattr(model, "listed", ())[:1]
    shown = [name for name, f in fields.items() if f.is_required() or name in somewhere or name in listed]
    shown = shown or [name for name in fields if name not in COMMON][:1] or [n for n in fields if n == "note"]
    return {name: _of_field(name, fields[name]) for name in shown}


def _of_field(name: str, field: FieldInfo) -> Any:
    return field.examples[0] if field.examples else _value(name, field.annotation, field.metadata)


def _value(name: str, kind: Any, marks: Sequence[Any] = ()) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _value(name, inner[0], [*inner[1:], *marks])
    if origin in (Union, types.UnionType):
        return _value(name, next(k for k in inner if k is not type(None)), marks)
    if origin is Literal:
        return inner[0]
    if origin is list:
        return [_value(name.removesuffix("s"), inner[0])]
    if origin is dict:
        return {"key": "value"}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example_of(kind)
    least = next((m.ge for m in marks if getattr(m, "ge", None) is not None), 0)
    plain = {
        str: _text(name, marks),
        int: max(int(least), 1),
        Decimal: "12.50",
        UUID: ID,
        bool: True,
        date: "2004-05-06" if name == "birth_on" else "2027-03-01",
        datetime: "2027-03-01T09:00:00+08:00",
        AwareDatetime: "2027-03-01T09:00:00+08:00",
        EmailStr: WORDS["email"],
    }
    return plain[kind]


def _text(name: str, marks: Sequence[Any]) -> str:
    pattern = next((m.pattern for m in marks if isinstance(m, StringConstraints) and m.pattern), None)
    return PATTERNED.get(str(pattern), "text") if pattern else WORDS.get(name, "text")
