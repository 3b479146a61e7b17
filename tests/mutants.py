"""Would the tests notice? Every rule of the domain is made wrong in one place, and its tests must fail.

    python tests/mutants.py                       # the whole domain
    python tests/mutants.py consents journey      # modules by name
    python tests/mutants.py --guards              # what gives reasons, and what that calls: none may live
    python tests/mutants.py --jobs 2              # two at a time

Tools that rewrite functions cannot reach a lifecycle's table, which is data at the module's level; this reaches both.
The tests are collected and run once, which tells what each of them calls; then each mutant gets a fork of that process,
the tests that reach it, quickest first, and some seconds. What is not mutated: annotations, defaults of fields, words,
and what a `Reason` says beside its code.

A guard is a function that a rule of a lifecycle names as a condition: of a step, of its input, or of taking it back.
Guards, and whatever runs while one of them does, have a score of their own. `mutants.txt` names those of their mutants
that change nothing that anybody could see, each with the reason.
"""

from __future__ import annotations
import __future__

import argparse
import ast
import contextlib
import copy
import gc
import importlib
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TypeAlias

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).resolve().parents[1]
DOMAIN = ROOT / "service" / "domain"
ALIKE = Path(__file__).with_name("mutants.txt")
"""Mutants that are no different: a line each, then the reason after two spaces and a #."""
KILLED, SURVIVED, STILLBORN = 1, 0, 3
Name: TypeAlias = tuple[str, str]
"""A name of a module: where it was first given, and what it is there."""


# ---- what can go wrong
OPPOSITE: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
TWIN = {"min": "max", "max": "min", "any": "all", "all": "any"}
WORDS = {"Reason", "TypeVar", "Refused"}
"""Calls whose inside is words."""
TO, WHO = 2, 3
"""Where a row says whither it leads, and who may; an input has words as its third, and no fourth."""
UNTOUCHED = {
    "annotation", "returns", "decorator_list", "defaults", "kw_defaults", "targets", "target", "format_spec",
}  # fmt: skip
"""Fields of the syntax whose inside is no rule."""
Change: TypeAlias = tuple[str, Callable[[], object]]
"""What is made wrong, in words, and how."""


def _put(items: list[Any], at: int, made: ast.AST) -> Callable[[], object]:
    return lambda: items.__setitem__(at, made)


def _drop(at: int, *lists: list[Any]) -> Callable[[], object]:
    return lambda: [items.pop(at) for items in lists]


def _set(node: ast.AST, name: str, made: object) -> Callable[[], object]:
    return lambda: setattr(node, name, made)


def _of_condition(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for i, op in enumerate(ops):
                other = OPPOSITE[type(op)]
                yield f"{type(op).__name__} becomes {other.__name__}", _put(ops, i, other())
        case ast.BoolOp(values=values, op=op):
            yield f"{type(op).__name__} turned", _set(node, "op", OPPOSITE[type(op)]())
            for i, value in enumerate(values):
                yield f"without `{_short(value)}`", _put(values, i, ast.Constant(isinstance(op, ast.And)))
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            yield "not dropped", _set(node, "operand", ast.UnaryOp(ast.Not(), inner))
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield "if turned", _set(node, "test", ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=[_, *_] as tests):
            yield "unfiltered", tests.clear


def _of_value(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub() as sign):
            yield f"{type(sign).__name__} turned", _set(node, "op", OPPOSITE[type(sign)]())
        case ast.Constant() if isinstance(node.value, bool):
            yield f"{node.value} turned", _set(node, "value", not node.value)
        case ast.Constant() if isinstance(node.value, int):
            yield f"{node.value} + 1", _set(node, "value", node.value + 1)
            yield f"{node.value} - 1", _set(node, "value", node.value - 1)
        case ast.List(elts=items) | ast.Set(elts=items) | ast.Tuple(elts=items):
            yield from ((f"without {_short(x)}", _drop(i, items)) for i, x in enumerate(items))
        case ast.Dict(keys=keys, values=values):
            yield from ((f"without {_short(x)}", _drop(i, keys, values)) for i, x in enumerate(keys))


def _of_call(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in TWIN:
            yield f"{name} becomes {TWIN[name]}", _set(node, "func", ast.Name(TWIN[name], ast.Load()))
        case ast.Call(func=ast.Name(id="Rule" | "Takes"), args=args, keywords=words):
            for i, word in enumerate(words):
                # What is True, False or a list is made wrong where it stands.
                if not isinstance(word.value, ast.Constant | ast.List) or word.arg == "code":
                    yield f"without {word.arg}=", _drop(i, words)
            if len(args) > WHO and isinstance(args[TO], ast.Constant):
                yield "leads to voided", _put(args, TO, ast.Constant("voided"))
        case ast.Return(value=value) if _gives_reason(value):
            yield "no Reason", _set(node, "value", ast.Constant(None))
        case ast.Expr(value=ast.Yield(value=value) | ast.Call(args=[value])) if _gives_reason(value):
            yield "no Reason", _set(node, "value", ast.Constant(None))


def changes(node: ast.AST, *, whole: bool) -> Iterator[Change]:
    """What can be made wrong at a node; `whole` where its elements are counted by what stands around it."""
    yield from _of_condition(node)
    if not whole:
        yield from _of_value(node)
    yield from _of_call(node)


def _gives_reason(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason"


def _short(node: ast.AST | None) -> str:
    return "**" if node is None else ast.unparse(node).split("\n")[0][:60]


def _is_words(node: ast.AST) -> bool:
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WORDS
    return called or isinstance(node, ast.JoinedStr)


def _visited(node: ast.AST, *, whole: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node that can go wrong, in an order that a copy shares."""
    yield node, whole
    for name, value in ast.iter_fields(node):
        if name in UNTOUCHED or (name == "slice" and isinstance(value, ast.Tuple)):  # tuple[UUID, ...] is a type
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_words(child):
                unpacked = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
                yield from _visited(child, whole=unpacked and isinstance(child, ast.Tuple))


# ---- what the domain is made of
@dataclass(eq=False)
class Unit:
    """A function, a method, or a statement of a module: what a mutant is made from."""

    module: str
    path: str
    node: ast.FunctionDef | ast.Assign | ast.AnnAssign
    owner: str = ""
    loads: set[Name] = field(default_factory=set)

    @property
    def gives(self) -> set[Name]:
        """The names of its module that it gives."""
        if isinstance(self.node, ast.FunctionDef):
            return {(self.module, self.owner or self.node.name)}
        targets = self.node.targets if isinstance(self.node, ast.Assign) else [self.node.target]
        return {(self.module, n.id) for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}

    @property
    def lines(self) -> range:
        """Where it stands, its decorators among it."""
        above = [d.lineno for d in self.node.decorator_list] if isinstance(self.node, ast.FunctionDef) else []
        return range(min([self.node.lineno, *above]), (self.node.end_lineno or self.node.lineno) + 1)

    @property
    def title(self) -> str:
        """How a reader finds it."""
        names = sorted(n for _, n in self.gives)
        return (
            ".".join(filter(None, (self.owner, self.node.name)))
            if isinstance(self.node, ast.FunctionDef)
            else ", ".join(names)
        )


@dataclass(frozen=True)
class Mutant:
    """A unit with one thing wrong."""

    unit: Unit
    line: int
    about: str
    node: ast.stmt

    def __str__(self) -> str:
        return f"{self.unit.path}:{self.line} {self.unit.title}: {self.about}"

    @property
    def name(self) -> str:
        """What it is called however the lines move."""
        return f"{self.unit.path} {self.unit.title}: {self.about}"


def mutants(unit: Unit) -> Iterator[Mutant]:
    """Every mutant of a unit."""
    seen = {ast.dump(unit.node)}
    for n, (node, whole) in enumerate(_visited(unit.node)):
        for k, (about, _) in enumerate(changes(node, whole=whole)):
            made = copy.deepcopy(unit.node)
            there, _ = next(v for i, v in enumerate(_visited(made)) if i == n)
            list(changes(there, whole=whole))[k][1]()
            if ast.dump(made) not in seen:
                seen.add(ast.dump(made))
                line = next((x.lineno for x in (node, *ast.walk(node)) if hasattr(x, "lineno")), unit.node.lineno)
                yield Mutant(unit, line, about, ast.fix_missing_locations(made))


def _module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(tree: ast.Module) -> dict[str, Name]:
    return {
        a.asname or a.name: (node.module, a.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("service.domain")
        for a in node.names
    }


def _units(path: Path) -> Iterator[Unit]:
    module, tree = _module_of(path), ast.parse(path.read_text(encoding="utf-8"))
    imported, here = _imported(tree), str(path.relative_to(ROOT))
    for node in tree.body:
        inside = [node]
        if isinstance(node, ast.ClassDef):
            inside = [] if any("Protocol" in ast.unparse(b) for b in node.bases) else node.body
        for part in inside:
            if isinstance(part, ast.FunctionDef) or (isinstance(part, ast.Assign | ast.AnnAssign) and part is node):
                owner = node.name if isinstance(node, ast.ClassDef) else ""
                yield Unit(module, here, part, owner, set(_loads(part, module, imported)))


def _loads(node: ast.AST, module: str, imported: dict[str, Name]) -> Iterator[Name]:
    for n in ast.walk(node):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load):
            yield imported.get(n.id, (module, n.id))
        elif isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id in imported:
            yield ".".join(imported[n.value.id]), n.attr


def read_domain() -> list[Unit]:
    """Every unit of the domain, what others are made of before them."""
    paths = {_module_of(p): p for p in sorted(DOMAIN.rglob("*.py"))}
    ordered: dict[str, list[Unit]] = {}

    def put(module: str) -> None:
        if module in paths and module not in ordered:
            path = paths.pop(module)
            for source, name in sorted(_imported(ast.parse(path.read_text(encoding="utf-8"))).values()):
                put(source)
                put(f"{source}.{name}")
            ordered[module] = list(_units(path))

    for module in list(paths):
        put(module)
    return [u for units in ordered.values() for u in units]


# ---- a mutant comes alive
def _function(unit: Unit) -> Any:
    assert isinstance(unit.node, ast.FunctionDef)
    held: Any = sys.modules[unit.module]
    found = vars(getattr(held, unit.owner))[unit.node.name] if unit.owner else vars(held)[unit.node.name]
    for name in ("fget", "func", "__func__", "__wrapped__"):
        found = getattr(found, name, None) or found
    return found


def _run(node: ast.stmt, path: str, names: dict[str, Any], local: dict[str, Any] | None = None) -> None:
    code = compile(ast.Module([node], []), path, "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)
    exec(code, names, names if local is None else local)  # noqa: S102  # this is what a mutant is


def _assign(unit: Unit, node: ast.stmt) -> None:
    """Run a statement again, and let everybody who holds what it gave hold what it gives now."""
    from service.domain.lifecycle import Lifecycle

    names = vars(sys.modules[unit.module])
    before = {n: names[n] for _, n in unit.gives}
    _run(node, unit.path, names)
    for name, old in before.items():
        new = names[name]
        if isinstance(old, Lifecycle) and isinstance(new, Lifecycle):
            for part in ("rules", "by_action", "correctable"):
                object.__setattr__(old, part, getattr(new, part))
            names[name] = old
            continue
        for module in [m for n, m in sys.modules.items() if n.startswith(("service.domain", "tests", "test_"))]:
            for held, value in list(vars(module).items()):
                if value is old and (held == name or not isinstance(old, int | str | None)):
                    setattr(module, held, new)


def come_alive(mutant: Mutant, units: Sequence[Unit]) -> None:
    """Put the mutant in the place of its unit, and make anew what was made from it."""
    if isinstance(mutant.node, ast.FunctionDef):
        mutant.node.decorator_list = []
        made: dict[str, Any] = {}
        _run(mutant.node, mutant.unit.path, vars(sys.modules[mutant.unit.module]), made)
        _function(mutant.unit).__code__ = made[mutant.node.name].__code__
    else:
        _assign(mutant.unit, mutant.node)
    changed = set(mutant.unit.gives)
    for unit in units:
        if unit is not mutant.unit and not isinstance(unit.node, ast.FunctionDef) and unit.loads & changed:
            _assign(unit, unit.node)
            changed |= unit.gives


def guards() -> Iterator[Any]:
    """Every function that gives the reasons against a step, its input, or taking it back."""
    from service.domain.lifecycle import Lifecycle

    for name, module in list(sys.modules.items()):
        if name.startswith("service.domain"):
            for lifecycle in [v for v in vars(module).values() if isinstance(v, Lifecycle)]:
                for rule in lifecycle.rules:
                    yield from (*rule.only_if, *rule.checks, *([] if isinstance(rule.undo, bool) else rule.undo))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# ---- the tests
class Calls:
    """What runs while it listens: the units that are called, and those among them that a guard needs."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.starts = {(str(ROOT / u.path), n): u for u in units for n in u.lines}
        self.guards = {g.__code__ for g in guards()}
        self.within: FrameType | None = None
        self.seen: set[Unit] = set()
        self.guarding: set[Unit] = set()

    def note(self, frame: FrameType, event: str, _arg: object) -> None:
        """A function of `sys.setprofile`."""
        if event == "return" and frame is self.within:
            self.within = None
        if event != "call":
            return
        if self.within is None and frame.f_code in self.guards:
            self.within = frame
        if unit := self.starts.get((frame.f_code.co_filename, frame.f_lineno)):
            self.seen.add(unit)
            if self.within is not None:
                self.guarding.add(unit)


class Trial:
    """A plugin of pytest: runs the tests once, noting what each calls, then a fork of itself for every mutant."""

    def __init__(self, wanted: Sequence[str], jobs: int, seconds: float, every: int, *, guards_only: bool) -> None:
        self.wanted, self.jobs, self.seconds, self.every, self.guards_only = wanted, jobs, seconds, every, guards_only
        self.guarding: set[Unit] = set()
        self.alike = {x.partition("  #")[0] for x in ALIKE.read_text(encoding="utf-8").splitlines() if x}
        self.units = read_domain()
        self.reach: dict[Unit, set[pytest.Item]] = defaultdict(set)
        self.cost: dict[pytest.Item, float] = {}
        self.files: dict[Path, tuple[Mapping[str, Any], set[pytest.Item]]] = {}
        self.kills: Counter[str] = Counter()
        self.outcome: dict[Mutant, int] = {}

    def pytest_configure(self) -> None:
        """The same examples each time, so that a mutant's life is not luck."""
        from hypothesis import settings

        settings.register_profile("mutants", database=None, derandomize=True, deadline=None, max_examples=25)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of running the tests, try the mutants on them."""
        for module in {u.module for u in self.units}:
            importlib.import_module(module)
        self._baseline(session.items)
        gc.collect()
        gc.freeze()
        wanted = self.guarding if self.guards_only else {*self.units}
        tried = {u: self._tests(u) for u in self.units if u in wanted and self._is_wanted(u)}
        born = [m for u in tried for m in mutants(u)][:: self.every]
        _say(f"\n{len(self.cost)} tests, {len(born)} mutants")
        running: dict[int, tuple[Mutant, int]] = {}
        for mutant in born:
            if len(running) >= self.jobs:
                self._reap(running)
            heard, said = os.pipe()
            pid = os.fork()
            if not pid:
                os._exit(self._try(mutant, tried[mutant.unit], said))
            os.close(said)
            running[pid] = mutant, heard
        while running:
            self._reap(running)
        return True

    def _is_wanted(self, unit: Unit) -> bool:
        return not self.wanted or any(f"{unit.module}.".startswith(f"service.domain.{w}.") for w in self.wanted)

    def _is_alike(self, mutant: Mutant) -> bool:
        return mutant.name in self.alike and mutant.unit in self.guarding

    def _reap(self, running: dict[int, tuple[Mutant, int]]) -> None:
        pid, status = os.wait()
        mutant, heard = running.pop(pid)
        with os.fdopen(heard) as killer:
            self.kills[killer.read()] += 1
        code = os.waitstatus_to_exitcode(status)
        self.outcome[mutant] = code if code in {SURVIVED, STILLBORN} else KILLED
        if code == SURVIVED and not self._is_alike(mutant):
            _say(f"lived: {mutant}")

    def _baseline(self, items: Sequence[pytest.Item]) -> None:
        calls = Calls(self.units)
        for item in items:
            calls.seen.clear()
            began = time.process_time()
            sys.setprofile(calls.note)
            try:
                failed = any(r.failed for r in runtestprotocol(item, nextitem=None, log=False))
            finally:
                sys.setprofile(None)
            if failed:
                pytest.exit(f"{item.nodeid} fails without any mutant", returncode=2)
            self.cost[item] = time.process_time() - began
            if isinstance(file := item.getparent(pytest.Module), pytest.Module):
                self.files.setdefault(item.path, (vars(file.obj), set()))[1].add(item)
            for unit in calls.seen:
                self.reach[unit].add(item)
        self.guarding = calls.guarding

    def _tests(self, unit: Unit) -> list[pytest.Item]:
        """The tests that may notice it."""
        found = set(self.reach[unit])
        if not isinstance(unit.node, ast.FunctionDef):
            changed = set(unit.gives)
            for other in self.units:
                if other.loads & changed:
                    found |= self.reach[other]
                    changed |= set() if isinstance(other.node, ast.FunctionDef) else other.gives
            lives = {id(vars(sys.modules[m])[n]) for m, n in changed if n in vars(sys.modules[m])}
            for names, items in self.files.values():
                held = [v for n in names.values() for v in (n.values() if isinstance(n, dict) else [n])]
                if any(id(v) in lives for v in held):
                    found |= items
        return sorted(found, key=self.cost.__getitem__)

    def _try(self, mutant: Mutant, items: Sequence[pytest.Item], said: int) -> int:
        """Whether a test fails: first those that killed others, then the quickest, as far as the seconds reach."""
        gc.disable()
        signal.alarm(60)
        resource.setrlimit(resource.RLIMIT_CPU, (int(self.seconds * 2) + 5, int(self.seconds * 2) + 6))
        with Path(os.devnull).open("w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
            try:
                come_alive(mutant, self.units)
            except Exception:  # noqa: BLE001  # whatever it is, the module could not be imported so
                return STILLBORN
            left = self.seconds
            for item in sorted(items, key=lambda i: -self.kills[i.nodeid]):
                left -= self.cost[item]
                if left > 0 and any(r.failed for r in runtestprotocol(item, nextitem=None, log=False)):
                    os.write(said, item.nodeid.encode())
                    return KILLED
        return SURVIVED

    def report(self) -> None:
        """The score, a module a line."""
        score: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for mutant, outcome in self.outcome.items():
            if outcome != STILLBORN:
                score[mutant.unit.path][0] += outcome == KILLED
                score[mutant.unit.path][1] += 1
        for path, (killed, born) in sorted(score.items()):
            _say(f"{killed:5} / {born:<5} {killed / born:6.1%}  {path}")
        killed, born = (sum(s[i] for s in score.values()) for i in (0, 1))
        _say(f"{killed:5} / {born:<5} {killed / max(born, 1):6.1%}")
        guarding = {m: o for m, o in self.outcome.items() if m.unit in self.guarding and o != STILLBORN}
        alike = sum(o == SURVIVED and self._is_alike(m) for m, o in guarding.items())
        killed = sum(o == KILLED for o in guarding.values())
        _say(f"guards: killed {killed} of {len(guarding) - alike}, beside {alike} that change nothing")


def main() -> int:
    """Try the mutants that were asked for."""
    parser = argparse.ArgumentParser(description="Try whether the domain's tests notice what is made wrong.")
    parser.add_argument("modules", nargs="*", help="modules of service/domain, by name; all where none is given")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4, help="of tests, after which a mutant lives")
    parser.add_argument("--guards", action="store_true", help="guards, and what they call, alone")
    parser.add_argument("--every", type=int, default=1, help="try every nth mutant, for a quick look")
    parser.add_argument("--tests", nargs="*", default=["tests/domain"], help="the tests that must notice")
    said = parser.parse_args()
    trial = Trial(said.modules, said.jobs, said.seconds, said.every, guards_only=said.guards)
    os.chdir(ROOT)
    # A clock over every test would stop a fork's whole process; the fork has a clock of its own.
    quiet = ["-q", "-n0", "-p", "no:cacheprovider", "-o", "timeout=0", "--noconftest"]
    code = int(pytest.main([*quiet, *said.tests], plugins=[trial]))
    trial.report()
    return code


if __name__ == "__main__":
    sys.exit(main())
