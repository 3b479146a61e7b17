"""Language tests: what a score means under the version of its day, which CEFR level it is, and for what it is good.

All numbers come from data with sources. Where sources differ, the lower level and the weaker mark hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args

from service.domain.lifecycle import Reason
from service.domain.requirements.dates import add_months
from service.domain.requirements.model import MARKS, Mark

Cefr = Literal["A1", "A2", "B1", "B2", "C1", "C2"]
CEFR: tuple[str, ...] = get_args(Cefr)
Purpose = Literal[
    "general",
    "application",
    "visa",
    "departure",
    "chinese_admission",
    "german_admission",
    "specified_skilled_worker",
]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
"""For what a certificate is shown; `general` asks for no more than its issuer does."""
RuleKind = Literal["issuer_expiry", "max_age_at", "min_each_skill", "no_cefr_if_section_fail", "equivalent_set"]
CountedFrom = Literal["taken_on", "result_on"]
GONE = ("rejected", "revoked", "voided")
_NUMBER = re.compile(r"\d{1,6}(\.\d{1,4})?", re.ASCII)


# ---- what the data says
@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """Where something was read, when, and how much that is worth."""

    source: str
    source_url: str | None = None
    checked_on: date | None = None
    evidence: Mark
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The numbers that a score can be: from `least` to `most`, both included, in steps."""

    least: Decimal
    most: Decimal
    step: Decimal = Decimal(1)

    def has(self, score: Decimal) -> bool:
        """Whether it is one of them."""
        return self.least <= score <= self.most and (score - self.least) % self.step == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of a paper; whoever is below `passed_from` has failed the whole."""

    section: str
    scale: Scale
    passed_from: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """The total from which a level is reached."""

    level: str
    least: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper(Sourced):
    """What is sat in one go. Passing gives the level that the total reaches, or the paper's own `level`.

    A paper without sections and total is one whose scores are not judged here. `adds_up`: the total is the sum of the
    sections.
    """

    paper: str
    level: str | None = None
    sections: tuple[Section, ...] = ()
    total: Scale | None = None
    adds_up: bool = False
    passed_from: Decimal | None = None
    cut_offs: tuple[CutOff, ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that it can give, lowest first."""
        return tuple(c.level for c in self.cut_offs) or ((self.level,) if self.level else ())

    @property
    def can_be_failed(self) -> bool:
        """Whether there is anything to pass."""
        return bool(self.levels) or self.passed_from is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One form of a test, and the days on which it is or was sat; no day stands for no limit known."""

    version: str
    effective_from: date | None = None
    effective_to: date | None = None
    papers: tuple[Paper, ...]

    def in_force(self, on: date | None) -> bool:
        """Whether it is sat on the day; on a day that is not known it may be."""
        return _within(self.effective_from, self.effective_to, on)

    def paper(self, named: str | None, level: str | None) -> Paper | None:
        """The paper by its name or by a level of its own, or the only one."""
        if named is not None:
            return next((p for p in self.papers if p.paper == named), None)
        if level is not None:
            return next((p for p in self.papers if level in p.levels), None)
        return self.papers[0] if len(self.papers) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Scores (of a level, where it names one) and their CEFR level; null where none is stated."""

    level: str | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    cefr: Cefr | None

    def holds(self, score: Decimal) -> bool:
        """Whether the score lies in it; its ends do."""
        return (self.least is None or self.least <= score) and (self.most is None or score <= self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class CefrTable(Sourced):
    """One source's table of CEFR levels, for tests taken within its days. `per`: what its bands are about."""

    key: str
    per: Literal["total", "section"] = "total"
    effective_from: date | None = None
    effective_to: date | None = None
    bands: tuple[Band, ...]

    def band(self, level: str | None, score: Decimal | None) -> tuple[bool, Cefr | None]:
        """Whether the table decides, and the level that it gives."""
        ours = [b for b in self.bands if b.level is None or b.level == level]
        if score is None:
            # Without a score only a level that has one band all the way says something.
            return (True, ours[0].cefr) if len(ours) == 1 and ours[0].level is not None else (False, None)
        hit = next((b for b in ours if b.holds(score)), None)
        return (hit is not None, hit.cefr if hit else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """One test that serves in a set: at least this level, or passed where it has none."""

    test: str
    level_least: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidityRule(Sourced):
    """One rule on what a certificate is good for. No purposes: for every one.

    `issuer_expiry` and `max_age_at` count `months` (null: without limit) from a day of the test; the last good day is
    the same day of the later month, or the day before it. An `advisory` rule is told and decides nothing.
    """

    key: str
    rule: RuleKind
    purposes: tuple[Purpose, ...] = ()
    counted_from: CountedFrom | None = None
    months: int | None = None
    last_day: Literal["same_day", "day_before"] = "same_day"
    least: Decimal | None = None
    any_of: tuple[Equivalent, ...] = ()
    advisory: bool = False
    effective_from: date | None = None
    effective_to: date | None = None

    def applies(self, purpose: str, on: date) -> bool:
        """Whether it is asked for this purpose on the day."""
        return (not self.purposes or purpose in self.purposes) and _within(self.effective_from, self.effective_to, on)


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageTest:
    """A test by its code.

    `levels`: what its certificates name, lowest first. `named_by_issuer`: only who has passed is given a certificate
    with the level, so that the certificate shows it without the scores.
    """

    test: str
    title_en: str
    title_zh: str
    language: str
    issuer: str
    levels: tuple[str, ...] = ()
    skills: tuple[str, ...]
    named_by_issuer: bool = False
    versions: tuple[Version, ...]
    cefr: tuple[CefrTable, ...] = ()
    rules: tuple[ValidityRule, ...] = ()

    def version_on(self, on: date | None) -> Version | None:
        """The version that is sat on the day; the newest where the day is not known."""
        return next((v for v in reversed(self.versions) if v.in_force(on)), None)


@dataclass(frozen=True, slots=True)
class LanguageTests:
    """Every test that is known, and the sets of those that serve for one another."""

    tests: Mapping[str, LanguageTest] = field(default_factory=dict)
    sets: tuple[ValidityRule, ...] = ()

    def get(self, code: str | None) -> LanguageTest | None:
        """The test of the code, if anything is known of it."""
        return None if code is None else self.tests.get(code)


NO_TESTS = LanguageTests()


# ---- what was sat
@dataclass(frozen=True, slots=True, kw_only=True)
class Sat:
    """A result as its document states it. `level`: the level that the document names, if it does."""

    test: str
    on: date | None = None
    paper: str | None = None
    level: str | None = None
    total: Decimal | None = None
    sections: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """One step of an explanation: a code, what was required and found, and where that stands."""

    code: str
    required: Any = None
    actual: Any = None
    source: Sourced | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a result means: `passed` is null where a test is not passed or failed; `skills` are CEFR levels by section."""

    version: str | None = None
    paper: str | None = None
    total: Decimal | None = None
    passed: bool | None = None
    level: str | None = None
    cefr: str | None = None
    skills: Mapping[str, str | None] = field(default_factory=dict)
    grounds: tuple[Ground, ...] = ()

    @property
    def evidence(self) -> Mark:
        """The weakest mark of what it rests on."""
        return max((g.source.evidence for g in self.grounds if g.source), key=MARKS.index, default="unverified")


def score_of(written: Any) -> Decimal | None:
    """A score as a number, or None where it is none."""
    if not isinstance(written, str | int | Decimal):
        return None
    return Decimal(str(written)) if _NUMBER.fullmatch(str(written)) else None


def plain(number: Decimal) -> str:
    """The number as text, without zeros behind the point."""
    return f"{number.normalize():f}"


def faults(test: LanguageTest, sat: Sat) -> list[Reason]:
    """What cannot be so.

    A paper or section that the version of the day has not, scores out of their bounds, another level than they give.
    """
    version = test.version_on(sat.on)
    if version is None:
        days = [[v.effective_from, v.effective_to] for v in test.versions]
        return [Reason("test_version_known", required=days, actual=sat.on, pointer="/taken_on")]
    if sat.level is not None and sat.level not in test.levels:
        return [Reason("level_of_test", required=test.levels, pointer="/level")]
    paper = version.paper(sat.paper, sat.level)
    if paper is None:
        known = [p.paper for p in version.papers]
        return [Reason("paper_known", required=known, actual=sat.paper, pointer="/paper")]
    found = [*_section_faults(paper, sat), *_total_faults(paper, sat)]
    if not found and sat.level is not None:
        given = outcome(test, sat).level
        if given != sat.level:
            found.append(Reason("level_as_scored", required=given, actual=sat.level, pointer="/level"))
    return found


def _section_faults(paper: Paper, sat: Sat) -> Iterator[Reason]:
    known = {s.section: s for s in paper.sections}
    for name, written in sat.sections.items():
        pointer = f"/section_scores/{name}"
        if name not in known:
            yield Reason("section_known", required=sorted(known), pointer="/section_scores")
            return
        score = score_of(written)
        if score is None or not known[name].scale.has(score):
            yield Reason("score_in_scale", required=_bounds(known[name].scale), pointer=pointer)


def _total_faults(paper: Paper, sat: Sat) -> Iterator[Reason]:
    if sat.total is None:
        return
    pointer = "/total_score"
    if paper.total is None:
        yield Reason("no_total", pointer=pointer)
    elif not paper.total.has(sat.total):
        yield Reason("score_in_scale", required=_bounds(paper.total), pointer=pointer)
    elif paper.adds_up and (summed := _sum(paper, sat)) is not None and summed != sat.total:
        yield Reason("total_is_sum", required=plain(summed), actual=plain(sat.total), pointer=pointer)


def _bounds(scale: Scale) -> dict[str, str]:
    return {"least": plain(scale.least), "most": plain(scale.most), "step": plain(scale.step)}


def _scores(paper: Paper, sat: Sat) -> dict[str, Decimal]:
    read = {s.section: score_of(sat.sections[s.section]) for s in paper.sections if s.section in sat.sections}
    return {name: score for name, score in read.items() if score is not None}


def _sum(paper: Paper, sat: Sat) -> Decimal | None:
    """The sum of the sections, where all of them are known."""
    scores = _scores(paper, sat)
    return sum(scores.values(), Decimal(0)) if paper.sections and len(scores) == len(paper.sections) else None


def outcome(test: LanguageTest, sat: Sat) -> Outcome:
    """The level and the CEFR level of a result, by the version and the tables of its day, with what decided."""
    version = test.version_on(sat.on)
    if version is None or (paper := version.paper(sat.paper, sat.level)) is None:
        return Outcome(grounds=(Ground("paper_not_known"),))
    scores = _scores(paper, sat)
    total = sat.total if sat.total is not None else _sum(paper, sat) if paper.adds_up else None
    passed, level, grounds = _pass(test, paper, sat, scores, total)
    read = Outcome(version=version.version, paper=paper.paper, total=total, passed=passed, level=level)
    cefr, skills, more = _cefr(test, sat.on, read, scores)
    return Outcome(
        version=read.version, paper=read.paper, total=total, passed=passed, level=level, cefr=cefr, skills=skills,
        grounds=(*grounds, *more),
    )  # fmt: skip


def _pass(
    test: LanguageTest, paper: Paper, sat: Sat, scores: Mapping[str, Decimal], total: Decimal | None
) -> tuple[bool | None, str | None, list[Ground]]:
    """Whether it is passed, at which level, and by what."""
    for s in paper.sections:
        if s.passed_from is not None and s.section in scores and scores[s.section] < s.passed_from:
            found = {s.section: plain(scores[s.section])}
            return (
                False,
                None,
                [Ground("section_failed", {s.section: plain(s.passed_from)}, found, _section_rule(test, paper))],
            )
    if not paper.can_be_failed:
        return None, None, [Ground("nothing_to_pass", source=paper)]
    reached = [c for c in paper.cut_offs if total is not None and total >= c.least]
    needed = paper.passed_from if paper.passed_from is not None else paper.cut_offs[0].least if paper.cut_offs else None
    if needed is not None and total is not None and total < needed:
        return False, None, [Ground("total_below", plain(needed), plain(total), paper)]
    # Every number that decides must be there; else the document itself must name the level.
    judged = [s.section for s in paper.sections if s.passed_from is not None]
    lacking = [name for name in judged if name not in scores] + (["total"] if needed and total is None else [])
    if (judged or needed) and not lacking:
        level = reached[-1].level if reached else paper.level
        required = plain(reached[-1].least) if reached else plain(needed) if needed else judged
        return True, level, [Ground("scores_reach", required, plain(total) if total is not None else None, paper)]
    if sat.level in paper.levels and test.named_by_issuer:
        return True, sat.level, [Ground("named_by_issuer", actual=sat.level, source=paper)]
    return None, None, [Ground("scores_missing", lacking or ["level"], source=paper)]


def _section_rule(test: LanguageTest, paper: Paper) -> Sourced:
    return next((r for r in test.rules if r.rule == "no_cefr_if_section_fail"), paper)


def _cefr(
    test: LanguageTest, on: date | None, read: Outcome, scores: Mapping[str, Decimal]
) -> tuple[str | None, dict[str, str | None], list[Ground]]:
    """The CEFR level by the tables of the day: of several that decide, the lowest level holds."""
    if read.passed is False or (read.passed is None and test.levels):
        return None, {}, []
    tables = [m for m in test.cefr if on is not None and _within(m.effective_from, m.effective_to, on)]
    if not tables:
        return None, {}, [Ground("no_cefr_table", actual=on)]
    whole = [(m, *m.band(read.level, read.total)) for m in tables if m.per == "total"]
    told = [(m, cefr) for m, decides, cefr in whole if decides]
    skills: dict[str, str | None] = {}
    grounds = [Ground("cefr_by_table", m.key, cefr, m) for m, cefr in told]
    for name, score in scores.items():
        parts = [(m, *m.band(None, score)) for m in tables if m.per == "section"]
        by_skill = [(m, cefr) for m, decides, cefr in parts if decides]
        if by_skill:
            skills[name] = _lowest(cefr for _, cefr in by_skill)
            grounds += [Ground("cefr_by_table", m.key, {name: cefr}, m) for m, cefr in by_skill]
    return (_lowest(cefr for _, cefr in told) if told else None), skills, grounds


def _lowest(levels: Iterable[str | None]) -> str | None:
    """The lowest of them; none at all is lower than any."""
    return min(levels, key=(None, *CEFR).index)


# ---- what a certificate is good for
@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A certificate as its validity is judged."""

    state: str
    test: str | None
    level: str | None = None
    passed: bool | None = None
    sections: Mapping[str, Any] = field(default_factory=dict)
    taken_on: date | None = None
    result_on: date | None = None
    issued_on: date | None = None
    valid_until: date | None = None

    @property
    def known_on(self) -> date | None:
        """The first day on which there is anything to show."""
        return self.result_on or self.taken_on or self.issued_on

    def counted(self, rule: ValidityRule) -> date | None:
        """The day from which a rule counts; the test's own where that of the result is not known: it ends earlier."""
        return (self.result_on if rule.counted_from == "result_on" else None) or self.taken_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a certificate is good for a purpose on a day, the rule that decided, and its last good day if it has one."""

    valid: bool
    decided_by: Ground
    valid_until: date | None = None
    advice: tuple[Ground, ...] = ()


def valid_for(book: LanguageTests, held: Held, purpose: Purpose, on: date) -> Verdict:
    """Whether it is good: its state, its pass, its days, what it states itself, then every rule of the purpose."""
    if held.state in GONE:
        return Verdict(valid=False, decided_by=Ground("not_in_state", list(GONE), held.state))
    if held.passed is False:
        return Verdict(valid=False, decided_by=Ground("not_passed"))
    if held.known_on is not None and on < held.known_on:
        return Verdict(valid=False, decided_by=Ground("not_yet", held.known_on, on))
    if held.valid_until is not None and on > held.valid_until:
        ground = Ground("stated_end", held.valid_until, on)
        return Verdict(valid=False, decided_by=ground, valid_until=held.valid_until)
    test = book.get(held.test)
    rules = [r for r in (*(test.rules if test else ()), *book.sets) if r.applies(purpose, on)]
    judged = [(r, *_judge(book, r, held, on)) for r in rules if r.rule != "no_cefr_if_section_fail"]
    advice = tuple(ground for r, ok, ground, _ in judged if r.advisory and not ok)
    judged = [each for each in judged if not each[0].advisory]
    for _, ok, ground, last in judged:
        if not ok:
            return Verdict(valid=False, decided_by=ground, valid_until=last, advice=advice)
    ends = [(last, ground) for _, _, ground, last in judged if last is not None]
    if held.valid_until is not None:
        ends.append((held.valid_until, Ground("stated_end", held.valid_until, on)))
    if ends:
        last, ground = min(ends, key=lambda e: e[0])
        return Verdict(valid=True, decided_by=ground, valid_until=last, advice=advice)
    # Of rules without an end the purpose's own says more than the issuer's.
    grounds = [g for r, _, g, _ in sorted(judged, key=lambda j: not j[0].purposes)]
    return Verdict(valid=True, decided_by=grounds[0] if grounds else Ground("no_rule_known"), advice=advice)


def _judge(book: LanguageTests, rule: ValidityRule, held: Held, on: date) -> tuple[bool, Ground, date | None]:
    if rule.rule == "min_each_skill":
        test = book.get(held.test)
        version = test.version_on(held.taken_on) if test else None
        names = sorted({s.section for p in (version.papers if version else ()) for s in p.sections})
        low = {n: held.sections.get(n) for n in names if (score_of(held.sections.get(n)) or Decimal(0)) < _least(rule)}
        return not low, Ground(rule.rule, plain(_least(rule)), low or dict(held.sections), rule), None
    if rule.rule == "equivalent_set":
        wanted = [f"{e.test} {e.level_least}" if e.level_least else e.test for e in rule.any_of]
        ok = any(_serves(book, e, held) for e in rule.any_of)
        return ok, Ground(rule.rule, wanted, " ".join(filter(None, (held.test, held.level))), rule), None
    last = last_day(rule, held)
    if rule.months is None:
        return True, Ground("without_limit", source=rule), None
    if last is None:
        return False, Ground("day_missing", rule.counted_from, source=rule), None
    return on <= last, Ground(rule.rule, {"months": rule.months, "last_day": last}, on, rule), last


def _least(rule: ValidityRule) -> Decimal:
    return rule.least if rule.least is not None else Decimal(0)


def _serves(book: LanguageTests, wanted: Equivalent, held: Held) -> bool:
    test = book.get(wanted.test)
    if held.test != wanted.test or test is None:
        return False
    if wanted.level_least is None:
        return held.passed is True
    order = test.levels
    return held.level in order and order.index(held.level) >= order.index(wanted.level_least)


def last_day(rule: ValidityRule, held: Held) -> date | None:
    """The last good day by a rule that counts months; None without a limit, or without the day that it counts from."""
    start = held.counted(rule)
    if rule.months is None or start is None:
        return None
    end = add_months(start, rule.months)
    return end - timedelta(days=1) if rule.last_day == "day_before" else end


def issuer_end(book: LanguageTests, held: Held) -> date | None:
    """The last good day by what the certificate states and by its issuer's own rules; None where there is no end."""
    test = book.get(held.test)
    ends = [last_day(r, held) for r in (test.rules if test else ()) if r.rule == "issuer_expiry" and not r.advisory]
    return min((e for e in (*ends, held.valid_until) if e is not None), default=None)


def _within(first: date | None, last: date | None, on: date | None) -> bool:
    return on is None or ((first is None or first <= on) and (last is None or on <= last))
