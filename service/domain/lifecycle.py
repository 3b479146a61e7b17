"""The kernel: a lifecycle is a table of rules; facts go in, a step or every reason against it comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from service.domain.actors import ADMIN, COORDINATOR, RECORDABLE, REGISTRAR, SYSTEM, Actor, Role

NEW = ""
"""The state of what does not exist yet: a rule from NEW is a birth."""
VOIDED = "voided"
"""The final state of every lifecycle for what a correction took back."""

DECLARERS = (COORDINATOR, REGISTRAR, ADMIN)
"""Who takes down what happened before there were records here."""
DEBT = "debt_settled"
"""The reason by which what a declared step left to be shown closes a later one."""
CORRECTABLE_DAYS = 14
CONTESTABLE_DAYS = 30

Given: TypeAlias = Mapping[str, Any]
"""What the caller hands in with an action, already of the declared types."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not: a stable code, and what was required and found. The wording lives in the message catalogues."""

    code: str
    required: Any = None
    actual: Any = None
    pointer: str | None = None


class Refused(Exception):
    """The move may not happen, for every reason named; `open_actions` are the moves that may."""

    def __init__(self, reasons: Sequence[Reason], open_actions: Sequence[str] = ()) -> None:
        super().__init__(", ".join(r.code for r in reasons))
        self.reasons = tuple(reasons)
        self.open_actions = tuple(open_actions)

    @property
    def by_role(self) -> bool:
        """Whether the actor's role is among the reasons: 403, and not 409."""
        return any(r.code == "role" for r in self.reasons)


@dataclass(frozen=True, slots=True)
class LastStep:
    """The last step of an item that no correction has taken back yet; `since_before` is the day of the one before."""

    seq: int
    action: str
    from_state: str
    to_state: str
    recorded_on: date
    recorded_for: Role | None = None
    by: UUID | None = None
    since_before: date | None = None


class Facts(Protocol):
    """What the kernel itself must know of any dossier."""

    @property
    def state(self) -> str:
        """Where it is in its life."""

    @property
    def since_on(self) -> date | None:
        """The day of the item's last step."""

    @property
    def today(self) -> date:
        """The present day in the zone of the place where the thing happens."""

    @property
    def last_step(self) -> LastStep | None:
        """What a correction would take back."""

    @property
    def contested(self) -> bool:
        """Whether the party for whom the last step was recorded contests it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The part of a dossier that every capability's dossier has; capabilities add what their own rules may know."""

    state: str
    today: date
    since_on: date | None = None
    last_step: LastStep | None = None
    contested: bool = False


D = TypeVar("D", bound=Facts)
Guard: TypeAlias = Callable[[D], "Reason | Iterable[Reason] | None"]
Check: TypeAlias = Callable[[D, Given], "Reason | Iterable[Reason] | None"]
Limit: TypeAlias = Any  # a value, or a function of the facts that gives one


def _reasons(found: Reason | Iterable[Reason] | None) -> tuple[Reason, ...]:
    if found is None:
        return ()
    return (found,) if isinstance(found, Reason) else tuple(found)


@dataclass(frozen=True)  # no slots: a frozen class with slots refuses what `Takes[Trip](...)` sets on it
class Takes(Generic[D]):
    """One input of an action: its type, and the bounds within which it is accepted.

    `least`, `most` (inclusive) and `choices` are values or functions of the facts. The bounds are published with the
    offer, and the same object enforces them: what is offered is granted.
    """

    name: str
    kind: Any
    about: str = ""
    needed: bool = True
    least: Limit = None
    most: Limit = None
    choices: Limit = None
    code: str = "out_of_bounds"

    def bounds(self, facts: D) -> dict[str, Any]:
        """The limits as they are for these facts."""
        limits = {"least": self.least, "most": self.most, "choices": self.choices}
        found = {k: v(facts) if callable(v) else v for k, v in limits.items()}
        return {k: list(v) if k == "choices" else v for k, v in found.items() if v is not None}

    def refuse(self, facts: D, given: Given) -> Reason | None:
        """The reason against what was given, or None."""
        value, pointer = given.get(self.name), f"/{self.name}"
        if value is None or (isinstance(value, list | tuple) and not value):
            return Reason("input_required", required=self.name, pointer=pointer) if self.needed else None
        if self.least is None and self.most is None and self.choices is None:
            return None
        bounds = self.bounds(facts)
        if "choices" in bounds:
            chosen = value if isinstance(value, list | tuple) else [value]
            if any(c not in bounds["choices"] for c in chosen):
                return Reason(self.code, required=bounds["choices"], pointer=pointer)
            return None
        low, high = bounds.get("least"), bounds.get("most")
        if (low is not None and value < low) or (high is not None and value > high):
            return Reason(self.code, required={k: _plain(v) for k, v in bounds.items()}, pointer=pointer)
        return None


def _plain(value: Any) -> Any:
    return (
        value.isoformat() if isinstance(value, date | datetime) else str(value) if isinstance(value, Decimal) else value
    )


OCCURRED_ON: Takes[Any] = Takes(
    "occurred_on",
    date,
    "The day it happened, local to where it happened; today where none is given.",
    needed=False,
    least=lambda f: f.since_on,
    most=lambda f: f.today,
    code="occurred_on_in_range",
)
NOTE: Takes[Any] = Takes("note", str, "Words for the record.", needed=False)
EVIDENCE: Takes[Any] = Takes("evidence", tuple[UUID, ...], "Documents that show it.", needed=False)
EVERY_ACTION: tuple[Takes[Any], ...] = (OCCURRED_ON, NOTE, EVIDENCE)


def because(*codes: str) -> Takes[Any]:
    """The coded reason that a negative outcome needs."""
    return Takes("reason_code", str, "Why: one of the codes.", choices=codes, code="reason_code_known")


@dataclass(frozen=True)
class Rule(Generic[D]):
    """One row of a lifecycle.

    `to` with several states needs `which`, that chooses one. `shared`: the step also concerns rows that others use
    (a place, a seat), which are locked first. `undo` is False where a correction cannot take the step back, or gives
    the guards for taking it back.
    """

    action: str
    sources: Sequence[str]
    to: str | Sequence[str]
    who: Sequence[Role]
    only_if: Sequence[Guard[D]]
    event: str
    takes: Sequence[Takes[D]] = ()
    checks: Sequence[Check[D]] = ()
    which: Callable[[D, Given], str] | None = None
    shared: bool = False
    evidence: bool = False
    undo: bool | Sequence[Guard[D]] = True

    @property
    def targets(self) -> tuple[str, ...]:
        """Every state that the row may lead to."""
        return (self.to,) if isinstance(self.to, str) else tuple(self.to)

    @property
    def inputs(self) -> tuple[Takes[D], ...]:
        """What it takes: what every action does, within bounds of its own where it names them, and what is its own."""
        own = {t.name for t in self.takes}
        return (*[t for t in EVERY_ACTION if t.name not in own], *self.takes)

    def target(self, facts: D, given: Given) -> str:
        """The state that it leads to for these facts and this input; the first where the input does not say."""
        return self.which(facts, given) if self.which else self.targets[0]

    @property
    def is_birth(self) -> bool:
        """Whether the row brings something into being."""
        return NEW in self.sources


@dataclass(frozen=True, slots=True)
class Step:
    """A granted move: the only thing storage accepts for a change of state."""

    lifecycle: str
    action: str
    from_state: str
    to_state: str
    event: str
    corrects: int | None = None
    recorded_for: Role | None = None
    unproven: tuple[Reason, ...] = ()
    """What a declared step leaves to be shown."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An action as a client may draw it: open, or closed with every reason, and the bounds of its input."""

    action: str
    open: bool
    to: tuple[str, ...]
    reasons: tuple[Reason, ...]
    inputs: tuple[dict[str, Any], ...]


@dataclass(frozen=True, eq=False)
class Lifecycle(Generic[D]):
    """A subject's whole life as a table: anything that is not in it cannot happen.

    `provable` tells of a reason whether a step that is declared may leave it to be shown later.
    """

    name: str
    rules: Sequence[Rule[D]]
    correctable: bool = True
    provable: Callable[[Reason], bool] = lambda _: False
    by_action: dict[str, list[Rule[D]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        grouped: dict[str, list[Rule[D]]] = {}
        for rule in self.rules:
            grouped.setdefault(rule.action, []).append(rule)
        object.__setattr__(self, "by_action", grouped)

    # ---- the table as data
    def edges(self) -> list[tuple[str, str]]:
        """Every (from, to) that can happen, corrections among them; drawn into the database's triggers."""
        forward = {(a, b) for r in self.rules for a in r.sources for b in r.targets}
        back = {
            (b, a or VOIDED)
            for r in self.rules
            if self.correctable and r.undo is not False
            for a in r.sources
            for b in r.targets
        }
        return sorted(forward | back)

    def births(self) -> list[str]:
        """The actions that bring something into being."""
        return [a for a, rules in self.by_action.items() if any(r.is_birth for r in rules)]

    def states(self) -> list[str]:
        """Every state but NEW, in the order of the table; VOIDED last."""
        seen = dict.fromkeys(s for r in self.rules for s in (*r.sources, *r.targets) if s)
        return [s for s in seen if s != VOIDED] + [VOIDED]

    def initials(self) -> list[str]:
        """The states in which something may be born."""
        return sorted({b for r in self.rules if r.is_birth for b in r.targets})

    def actions(self) -> list[str]:
        """The actions on something that exists, the kernel's own among them."""
        return [a for a, rules in self.by_action.items() if not all(r.is_birth for r in rules)] + (
            [*KERNEL_ACTIONS] if self.correctable else []
        )

    def mermaid(self) -> str:
        """The picture of the table; corrections are left out, they are each edge's reverse."""
        lines = ["stateDiagram-v2"]
        labels: dict[tuple[str, str], list[str]] = {}
        for r in self.rules:
            for a in r.sources:
                for b in r.targets:
                    names = labels.setdefault((a, b), [])
                    if r.action not in names:
                        names.append(r.action)
        lines += [f"    {a or '[*]'} --> {b}: {' / '.join(names)}" for (a, b), names in labels.items()]
        leaving = {a for r in self.rules for a in r.sources}
        lines += [f"    {s} --> [*]" for s in self.states() if s not in leaving and s != VOIDED]
        return "\n".join(lines)

    # ---- decisions
    def decide(self, action: str, facts: D, actor: Actor, given: Given | None = None) -> Step:
        """The step that the action is, or Refused with every reason."""
        given = given or {}
        if action in KERNEL_ACTIONS:
            reasons, step = KERNEL_ACTIONS[action](self, facts, actor, given)
            for takes in (OCCURRED_ON, EVIDENCE):
                reasons += _reasons(takes.refuse(facts, given))
        else:
            reasons, step = self._weigh(action, facts, actor, given)
        if reasons or step is None:
            raise Refused(reasons, [o.action for o in self.offers(facts, actor) if o.open])
        return step

    def declare(self, action: str, facts: D, actor: Actor, given: Given | None = None) -> Step:
        """The step as old papers tell it: what is not proven is left to be shown, whatever else closes it refuses.

        It is taken down by staff, for whoever took it then; what is owed from earlier declared steps closes nothing.
        """
        given = given or {}
        rule = self._rule(action, facts.state)
        if rule is None:
            raise Refused([Reason("not_from_this_state", required=self._sources(action), actual=facts.state)])
        reasons = []
        if actor.roles.isdisjoint(DECLARERS):
            reasons.append(Reason("role", required=sorted(DECLARERS), actual=sorted(actor.roles)))
        for guard in rule.only_if:
            reasons += _reasons(guard(facts))
        for takes in rule.inputs:
            reasons += _reasons((OCCURRED_ON if takes.name == "occurred_on" else takes).refuse(facts, given))
        if all(map(self.provable, reasons)):
            if rule.checks:  # they judge the day of the event, and the guards today
                reasons = [r for r in reasons if not (r.pointer or "").startswith("requirement/")]
            for check in rule.checks:
                reasons += _reasons(check(facts, given))
        if rule.evidence and not given.get("evidence"):
            reasons.append(Reason("evidence_required", pointer="/evidence"))
        if refused := [r for r in reasons if not self.provable(r)]:
            raise Refused(refused)
        parties = sorted(set(rule.who) & RECORDABLE) if actor.roles.isdisjoint(rule.who) else []
        return Step(
            self.name, action, facts.state, rule.target(facts, given), rule.event,
            recorded_for=parties[0] if parties else None, unproven=tuple(r for r in reasons if r.code != DEBT),
        )  # fmt: skip

    def follow(self, action: str, state: str) -> Step:
        """A consequence: the system's own step, whose conditions the step that it follows has already met."""
        for rule in self.by_action[action]:
            if state in rule.sources and SYSTEM in rule.who:
                return Step(self.name, action, state, rule.targets[0], rule.event)
        raise Refused([Reason("not_from_this_state", required=self._sources(action), actual=state)])

    def follows(self, action: str, state: str) -> bool:
        """Whether the system may take this step from that state."""
        return any(state in r.sources and SYSTEM in r.who for r in self.by_action[action])

    def offers(self, facts: D, actor: Actor) -> list[Offer]:
        """Every action that a person or a machine could ask for, open or closed with all its reasons."""
        return [
            self._offer(action, facts, actor)
            for action, rules in self.by_action.items()
            if not all(r.is_birth or set(r.who) == {SYSTEM} for r in rules)
        ] + [self._kernel_offer(action, facts, actor) for action in (KERNEL_ACTIONS if self.correctable else ())]

    def against(self, action: str, facts: D) -> tuple[Rule[D] | None, tuple[Reason, ...]]:
        """The row of an action in the present state, and what its guards have against it, whoever would take it."""
        rule = self._rule(action, facts.state)
        return rule, tuple(r for guard in rule.only_if for r in _reasons(guard(facts))) if rule else ()

    def shut(self, reason: Reason) -> list[Offer]:
        """Every action, closed for one reason that goes before all others: no guard is asked."""
        asked = {a: r for a, r in self.by_action.items() if not all(x.is_birth or set(x.who) == {SYSTEM} for x in r)}
        targets = {a: tuple(dict.fromkeys(t for r in rules for t in r.targets)) for a, rules in asked.items()}
        targets |= dict.fromkeys(KERNEL_ACTIONS if self.correctable else (), ())
        return [Offer(a, open=False, to=to, reasons=(reason,), inputs=()) for a, to in targets.items()]

    def _sources(self, action: str) -> list[str]:
        return list(dict.fromkeys(s for r in self.by_action[action] for s in r.sources))

    def _rule(self, action: str, state: str) -> Rule[D] | None:
        return next((r for r in self.by_action.get(action, ()) if state in r.sources), None)

    def _weigh(self, action: str, facts: D, actor: Actor, given: Given) -> tuple[list[Reason], Step | None]:
        rule = self._rule(action, facts.state)
        if rule is None:
            required = self._sources(action) if action in self.by_action else []
            reasons = [Reason("not_from_this_state", required=required, actual=facts.state)]
            whoever = {w for r in self.by_action.get(action, ()) for w in r.who}
            if not allowed(actor, whoever):
                reasons.insert(0, Reason("role", required=sorted(whoever), actual=sorted(actor.roles)))
            return reasons, None
        reasons, recorded_for = _standing(rule.who, actor, given, evidence=rule.evidence)
        for guard in rule.only_if:
            reasons += _reasons(guard(facts))
        for takes in rule.inputs:
            reasons += _reasons(takes.refuse(facts, given))
        if not reasons:
            for check in rule.checks:
                reasons += _reasons(check(facts, given))
        if reasons:
            return reasons, None
        return [], Step(
            self.name, action, facts.state, rule.target(facts, given), rule.event, recorded_for=recorded_for
        )

    def _offer(self, action: str, facts: D, actor: Actor) -> Offer:
        rule = self._rule(action, facts.state)
        if rule is None:
            reasons, _ = self._weigh(action, facts, actor, {})
            targets = tuple(dict.fromkeys(t for r in self.by_action[action] for t in r.targets))
            return Offer(action, open=False, to=targets, reasons=tuple(reasons), inputs=())
        must_record = actor.roles.isdisjoint(rule.who)
        reasons = []
        if not allowed(actor, set(rule.who)):
            reasons.append(Reason("role", required=sorted(rule.who), actual=sorted(actor.roles)))
        for guard in rule.only_if:
            reasons += _reasons(guard(facts))
        inputs = [described(t, facts) for t in rule.inputs]
        if must_record or rule.evidence:
            inputs = [i | {"needed": True} if i["name"] == "evidence" else i for i in inputs]
        if must_record and not reasons:
            parties = sorted(set(rule.who) & RECORDABLE)
            inputs.append({"name": "recorded_for", "type": "string", "needed": True, "choices": parties})
        return Offer(action, not reasons, rule.targets, tuple(reasons), tuple(inputs) if not reasons else ())

    def _kernel_offer(self, action: str, facts: D, actor: Actor) -> Offer:
        reasons, step = KERNEL_ACTIONS[action](self, facts, actor, {"note": "-"})
        to = (step.to_state,) if step else ()
        inputs = [described(t, facts) | {"needed": t.name == "note"} for t in EVERY_ACTION]
        return Offer(action, not reasons, to, tuple(reasons), tuple(inputs) if not reasons else ())


def described(takes: Takes[D], facts: D) -> dict[str, Any]:
    """An input as data: name, type, whether it is needed, and its bounds for these facts."""
    kinds = {date: "date", datetime: "instant", str: "string", int: "integer", bool: "boolean", Decimal: "decimal"}
    kind = kinds.get(takes.kind) or (
        "id" if takes.kind is UUID else "ids" if takes.kind == tuple[UUID, ...] else "object"
    )
    return {"name": takes.name, "type": kind, "needed": takes.needed, "about": takes.about} | takes.bounds(facts)


def allowed(actor: Actor, who: set[Role]) -> bool:
    """Whether the actor may take the step, by own right or recording it for another party."""
    return not actor.roles.isdisjoint(who) or (COORDINATOR in actor.roles and not RECORDABLE.isdisjoint(who))


def _standing(who: Sequence[Role], actor: Actor, given: Given, *, evidence: bool) -> tuple[list[Reason], Role | None]:
    """Whether this actor may take the step, by own right or recorded for another with evidence."""
    named = given.get("recorded_for")
    recorded_for = Role(named) if named else None
    shown = bool(given.get("evidence"))
    if recorded_for is not None:
        parties = sorted(set(who) & RECORDABLE)
        if COORDINATOR not in actor.roles:
            return [Reason("role", required=[COORDINATOR], actual=sorted(actor.roles))], None
        if recorded_for not in parties:
            return [Reason("recorded_for_party", required=parties, actual=recorded_for, pointer="/recorded_for")], None
        if not shown:
            return [Reason("evidence_required", pointer="/evidence")], None
        return [], recorded_for
    if actor.roles.isdisjoint(who):
        if allowed(actor, set(who)):
            return [
                Reason("recorded_for_required", required=sorted(set(who) & RECORDABLE), pointer="/recorded_for")
            ], None
        return [Reason("role", required=sorted(who), actual=sorted(actor.roles))], None
    if evidence and not shown and SYSTEM not in actor.roles:
        return [Reason("evidence_required", pointer="/evidence")], None
    return [], None


# ---- what holds for every lifecycle: correct, contest, uphold
_Weighed: TypeAlias = "tuple[list[Reason], Step | None]"


def _correct(lifecycle: Lifecycle[Any], facts: Any, actor: Actor, given: Given) -> _Weighed:
    """The reverse of the last uncorrected step, with a written reason."""
    last: LastStep | None = facts.last_step
    reasons: list[Reason] = []
    if actor.roles.isdisjoint({COORDINATOR, ADMIN}):
        reasons.append(Reason("role", required=[ADMIN, COORDINATOR], actual=sorted(actor.roles)))
    if not given.get("note"):
        reasons.append(Reason("input_required", required="note", pointer="/note"))
    if last is None:
        return [*reasons, Reason("something_to_correct")], None
    until = last.recorded_on + timedelta(days=CORRECTABLE_DAYS)
    if facts.today > until and ADMIN not in actor.roles:
        reasons.append(Reason("correctable_until", required=until, actual=facts.today))
    rule = next(
        (
            r
            for r in lifecycle.by_action.get(last.action, ())
            if (last.from_state in r.sources and last.to_state in r.targets)
        ),
        None,
    )
    if rule is None or rule.undo is False:
        reasons.append(Reason("correctable", actual=last.action))
    elif rule.undo is not True:
        for guard in rule.undo:
            reasons += _reasons(guard(facts))
    step = Step(
        lifecycle.name, "correct", facts.state, last.from_state or VOIDED, f"{lifecycle.name}.corrected", last.seq
    )
    return reasons, step


def _contest(lifecycle: Lifecycle[Any], facts: Any, actor: Actor, given: Given) -> _Weighed:
    """The party for whom a step was recorded says that it did not happen so; the state stays."""
    last: LastStep | None = facts.last_step
    if last is None or last.recorded_for is None:
        return [Reason("recorded_for_somebody")], None
    reasons = []
    if last.recorded_for not in actor.roles:
        reasons.append(Reason("role", required=[last.recorded_for], actual=sorted(actor.roles)))
    until = last.recorded_on + timedelta(days=CONTESTABLE_DAYS)
    if facts.today > until:
        reasons.append(Reason("contestable_until", required=until, actual=facts.today))
    if facts.contested:
        reasons.append(Reason("not_contested_yet"))
    if not given.get("note"):
        reasons.append(Reason("input_required", required="note", pointer="/note"))
    return reasons, Step(lifecycle.name, "contest", facts.state, facts.state, f"{lifecycle.name}.contested")


def _uphold(lifecycle: Lifecycle[Any], facts: Any, actor: Actor, given: Given) -> _Weighed:
    """A coordinator answers that the recorded step stands."""
    reasons = []
    if COORDINATOR not in actor.roles:
        reasons.append(Reason("role", required=[COORDINATOR], actual=sorted(actor.roles)))
    if not facts.contested:
        reasons.append(Reason("contested"))
    if not given.get("note"):
        reasons.append(Reason("input_required", required="note", pointer="/note"))
    return reasons, Step(lifecycle.name, "uphold", facts.state, facts.state, f"{lifecycle.name}.upheld")


KERNEL_ACTIONS: dict[str, Callable[[Lifecycle[Any], Any, Actor, Given], _Weighed]] = {
    "correct": _correct,
    "contest": _contest,
    "uphold": _uphold,
}
