"""What a client may say to an action on many: inputs for all, and of single items their own, which go before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails

from service.actions.work import AT_MOST, Subject, Wanted
from service.api.inputs import In
from service.api.problems import Problem

ALWAYS_OWN = ("occurred_on", "note", "evidence", "recorded_for", "reason_code")
"""What an item may say for itself even where the facts of the act are looked up by what is said for all."""
OWN = "Instead of what is said for all."


class ManyIn(In):
    """A body for many; `needed_somewhere` is what must be said for all, or else for each."""

    needed_somewhere: ClassVar[frozenset[str]] = frozenset()
    listed: ClassVar[tuple[str, ...]] = ()
    """The fields that hold items with inputs of their own, or their bare ids."""

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **more: Any) -> Self:
        """The body.

        Raises:
            ValidationError: it is none, or something that is needed is said nowhere for an item.
        """
        said = super().model_validate_json(json_data, **more)
        if lacking := [d for name in sorted(cls.needed_somewhere) for d in _lacking(said, name)]:
            raise ValidationError.from_exception_data(cls.__name__, lacking)
        return said


def _lacking(said: ManyIn, name: str) -> list[InitErrorDetails]:
    """Where something is missing: once for all, or at each item that does not say it where others do."""
    if getattr(said, name) is not None:
        return []
    items = [(of, n, i) for of in said.listed for n, i in enumerate(getattr(said, of) or ())]
    without = [(of, n) for of, n, i in items if getattr(i, name, None) is None]
    places: list[tuple[str | int, ...]] = [(name,)]
    if len(without) < len(items):
        places = [(of, n, name) for of, n in without]
    return [InitErrorDetails(type="missing", loc=place, input=None) for place in places] if without else []


def _optional(f: FieldInfo, about: str | None = None) -> tuple[Any, Any]:
    kind: Any = Annotated[(f.annotation, *f.metadata)] if f.metadata else f.annotation
    words = " ".join(w for w in (f.description, about) if w) or None
    return kind | None, Field(default=None, description=words, examples=f.examples)


def _own_names(subject: Subject[Any], action: str, body: type[BaseModel], taken: Sequence[str]) -> list[str]:
    """What an item may say for itself: not what the facts of the whole act are looked up by."""
    facts = subject.births.get(action)
    extra = set(facts.extra) if facts else set()
    looked_up = bool(extra - set(body.model_fields))
    return [n for n in body.model_fields if n not in extra | {*taken} and (not looked_up or n in ALWAYS_OWN)]


def _many(subject: Subject[Any], action: str, body: type[BaseModel], key: dict[str, Any], place: str) -> Any:
    """The model of one item, and the body for all with what is needed made optional where an item may say it."""
    name = body.__name__.removesuffix("In")
    own = _own_names(subject, action, body, (*key, place))
    fields: dict[str, Any] = key | {n: _optional(body.model_fields[n], OWN) for n in own}
    item = create_model(f"{name}ItemIn", __base__=In, **fields)
    eased = {n: _optional(body.model_fields[n]) for n in own if body.model_fields[n].is_required()}
    return name, item, eased


def items_model(subject: Subject[Any], action: str, body: type[BaseModel]) -> type[ManyIn]:
    """The body of an action on many that exist: each with the version that was seen."""
    key = {"id": (UUID, ...), "version": (int, Field(ge=1))}
    name, item, eased = _many(subject, action, body, key, "items")
    listed = Annotated[list[item], Field(min_length=1, max_length=AT_MOST)]  # type: ignore[valid-type]
    return _made(name, body, eased, ("items",), items=(listed, ...))


def births_model(subject: Subject[Any], action: str, body: type[BaseModel], anchor: str) -> type[ManyIn]:
    """The body of an act by which something is born from many: bare ids, or each with inputs of its own, or both."""
    name, item, eased = _many(subject, action, body, {anchor: (UUID, ...)}, "each")
    ids = Annotated[list[UUID], Field(min_length=1, max_length=AT_MOST)]
    own = Annotated[list[item], Field(min_length=1, max_length=AT_MOST)]  # type: ignore[valid-type]
    about = f"Those with inputs of their own; instead of `{anchor}s`, or beside them."
    fields = {f"{anchor}s": (ids | None, None), "each": (own | None, Field(default=None, description=about))}
    return _made(name, body, eased, (f"{anchor}s", "each"), **fields)


def _made(
    name: str, body: type[BaseModel], eased: Mapping[str, Any], listed: tuple[str, ...], **fields: Any
) -> type[ManyIn]:
    made: Any = create_model(f"{name}ManyIn", __base__=(ManyIn, body), **eased, **fields)
    made.needed_somewhere, made.listed = frozenset(eased), listed
    return made  # type: ignore[no-any-return]


def distinct(wanted: list[Wanted], place: str) -> list[Wanted]:
    """Each once.

    Raises:
        Problem: an id stands twice, there is none, or there are too many.
    """
    if not 0 < len(wanted) <= AT_MOST:
        raise Problem(
            "invalid", reasons=[{"code": "ids_given", "text": f"There are 1 to {AT_MOST} ids", "pointer": place}]
        )
    if len({w.id for w in wanted}) < len(wanted):
        raise Problem(
            "invalid", reasons=[{"code": "ids_distinct", "text": "An id stands twice in the list", "pointer": place}]
        )
    return wanted


__all__ = ["ManyIn", "births_model", "distinct", "items_model"]
