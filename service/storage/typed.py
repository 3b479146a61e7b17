"""Data files as the domain's own frozen dataclasses: every field of its type, none unknown, a fault with its place."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class Faulty(ValueError):
    """A file says something that cannot be: in which file, where in it, and what."""

    def __init__(self, file: str, where: str, problem: str) -> None:
        super().__init__(f"{file}, {where or 'the whole'}: {problem}")
        self.file, self.where, self.problem = file, where, problem


def read_json(file: str, text: str) -> Any:
    """The content of a JSON file, in which no name stands twice in one object. Raises Faulty."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise Faulty(file, "", f"the field {twice[0]!r} stands twice in one object")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as fault:
        raise Faulty(file, f"line {fault.lineno}", f"not JSON: {fault.msg}") from fault


def as_a(kind: type[T], value: Any, file: str, where: str = "") -> T:
    """The value as an instance of a dataclass, numbers from texts and lists as tuples. Raises Faulty."""
    if not isinstance(value, dict):
        raise Faulty(file, where, f"an object was expected, not {value!r}")
    hints = get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(value.keys() - fields.keys()):
        raise Faulty(file, where, f"unknown field {unknown[0]!r}")
    found: dict[str, Any] = {}
    for name, f in fields.items():
        if name in value:
            found[name] = _value(hints[name], value[name], file, f"{where}.{name}".lstrip("."))
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise Faulty(file, where, f"{name} is missing")
    return kind(**found)


def _value(kind: Any, value: Any, file: str, where: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _value(next(a for a in arguments if a is not type(None)), value, file, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise Faulty(file, where, f"a list was expected, not {value!r}")
        return tuple(_value(arguments[0], v, file, f"{where}[{n}]") for n, v in enumerate(value))
    if origin is Literal:
        if value not in arguments:
            raise Faulty(file, where, f"{value!r} is none of {', '.join(sorted(arguments))}")
        return value
    if dataclasses.is_dataclass(kind):
        return as_a(kind, value, file, where)  # type: ignore[arg-type]
    return _plain(kind, value, file, where)


def _plain(kind: Any, value: Any, file: str, where: str) -> Any:
    parsers: dict[Any, Callable[[str], Any]] = {date: date.fromisoformat, Decimal: Decimal}
    if kind in parsers:
        try:
            parsed = parsers[kind](value) if isinstance(value, str) else None
        except (ValueError, InvalidOperation):
            parsed = None
        if parsed is None or (kind is Decimal and not parsed.is_finite()):
            raise Faulty(file, where, f"a {kind.__name__.lower()} was expected, not {value!r}")
        return parsed
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Faulty(file, where, f"a {kind.__name__} was expected, not {value!r}")
    return value
