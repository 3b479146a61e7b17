"""The rows of a pack: every field checked, and what it says turned into the domain's own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from service.domain.actors import Role
from service.domain.requirements.model import (
    ALWAYS,
    GATES,
    LASTING_STAGES,
    LINE,
    MARKS,
    OPTIONS,
    TERMS,
    AnyTest,
    Ask,
    Comparison,
    Condition,
    DayName,
    Due,
    FactAmong,
    FactAtMost,
    FlagFact,
    ForeignShare,
    Kind,
    LocalStaff,
    MinimumAge,
    MinimumPay,
    NeverPaid,
    NumberFact,
    Obligation,
    Pack,
    PackKind,
    PaidAtMost,
    PaidInCapital,
    PassportDates,
    Payer,
    PaymentType,
    Provider,
    Receiver,
    Requirement,
    Source,
    Subject,
    TestAlternative,
    TextFact,
    Transition,
    Validity,
    ValidityRule,
)
from service.storage.packs.fields import CODE, COUNTRY, CURRENCY, LIST_MOST, NEVER, Fields

ROWS_MOST: Final = LIST_MOST
MONTHS_MOST, DAYS_MOST, AGE_MOST = 1_200, 36_500, 150
STUDY_GATES: Final = ("enrolled", "stage_advanced", "programme_completed")

ASKS_OF_KIND: Final[Mapping[str, frozenset[str]]] = {
    "document": frozenset({"evidence"}),
    "approval": frozenset({"evidence"}),
    "training": frozenset({"evidence"}),
    "ratio": frozenset({"evidence", "fact_at_most", "local_staff", "foreign_share", "paid_in_capital"}),
    "fact": frozenset({"minimum_age", "fact_among", "fact_at_most", "passport_dates", "minimum_pay"}),
    "test": frozenset({"any_test"}),
    "payment_rule": frozenset({"never_paid", "paid_at_most"}),
}
"""What a row of each kind can ask for; `evidence` is what a person hands in and another accepts."""
FACTS_OF_COMPARISON: Final[Mapping[str, tuple[str, ...]]] = {
    "in": get_args(TextFact),
    "not_in": get_args(TextFact),
    "over": get_args(NumberFact),
    "from": get_args(NumberFact),
    "is": get_args(FlagFact),
    "has": ("options", "levels_asked"),
    "lacks": ("options", "levels_asked"),
}


def pack_of(f: Fields, *, named: bool = False) -> Pack:
    """A pack from its fields; what is wrong with it stands in the fields' faults."""
    key, version = f.code("key"), f.number("version", most=10_000)
    if named and key and f.file != f"{key}-{version}.json":
        f.row = key
        f.fault("pack_file_name", f"the file must be named {key}-{version}.json")
    f.row = key or f.row
    kind = f.choice("kind", get_args(PackKind))
    if f.is_object and "valid_from" not in f.left:
        f.fault("pack_field_missing", "valid_from is missing", "valid_from")
    first, last = f.span("valid_from", "valid_to")
    stages: tuple[str, ...] = f.codes("stages", LINE)
    of_pathway = kind in ("pathway", "study")
    pathway = f.code("pathway") if of_pathway else (f.left.pop("pathway", None) if not kind else None)
    if kind and not f.is_faulty("stages"):
        _check_stages(f, kind, stages)
    pack = Pack(
        key=key,
        version=version,
        title=f.text("title"),
        kind=kind,
        valid_from=first or NEVER,
        valid_to=last,
        nationalities=f.codes("nationalities", COUNTRY),
        destinations=f.codes("destinations", COUNTRY),
        host_country_nationals=f.flag("host_country_nationals"),
        pathway=pathway,
        stages=stages,
        terms=f.codes("terms", TERMS),
        requirements=tuple(_requirement(r, key, kind, stages) for r in _rows(f, "requirements")),
        obligations=tuple(obligation_of(r, key) for r in _rows(f, "obligations")),
        transition=_transition(f, key),
        note=f.text("note", needed=False),
    )
    f.close()
    return pack


def _transition(f: Fields, pack: str) -> Transition | None:
    """What becomes of whoever is on the way; nothing is said where it is absent."""
    content = f.take("transition", dict, needed=False)
    if content is None:
        return None
    t = f.inner("transition", content)
    transition = Transition(t.choice("rule", ("stay", "move")), t.day("on"), _source(t, pack))
    t.close()
    return transition


def _check_stages(f: Fields, kind: PackKind, stages: tuple[str, ...]) -> None:
    if kind == "pathway" and not set(LASTING_STAGES) <= set(stages):
        problem = f"stages must have {' and '.join(LASTING_STAGES)}"
        f.fault("pack_stages_lasting", problem, "stages", list(LASTING_STAGES))
    if stages != tuple(s for s in LINE if s in stages):
        f.fault("pack_stages_order", "stages are not in the order of the line", "stages", list(LINE))
    if kind != "pathway" and stages:
        f.fault("pack_stages_none", f"a pack of kind {kind} has no stages", "stages")


def _rows(f: Fields, name: str) -> list[Fields]:
    """The rows of a table, each named by its key, or by its place where it has none."""
    rows: list[Fields] = []
    keys: set[str] = set()
    for number, row in enumerate(f.objects(name), start=1):
        row.row = f"{name} {number}"
        if not row.is_object:
            row.faults[:] = [x for x in row.faults if x.pointer != row.pointer]
            row.fault("pack_object_expected", "an object was expected")
            continue
        key = row.code("key")
        row.left["key"], row.row = key, key or row.row
        if key and key in keys:
            row.fault("pack_key_twice", "the key stands twice", "key")
        keys.add(key)
        rows.append(row)
    return rows


def _source(f: Fields, pack: str) -> Source:
    url = f.text("source_url", needed=False) or None
    if url is not None and not url.startswith("https://"):
        f.fault("pack_source_url", f"source_url {url!r} does not begin with https://", "source_url", "https://")
    source = Source(f.text("source"), url, f.day("checked_on"), f.choice("evidence", MARKS), pack)
    if source.evidence == "official" and source.checked_on is None:
        f.fault("pack_source_dated", "an official source needs checked_on", "checked_on")
    return source


def _check_gate(f: Fields, kind: str, subject: str, needed_before: str, stages: tuple[str, ...]) -> None:
    study = needed_before in STUDY_GATES
    if (kind == "study") is not study:
        problem = f"needed before {needed_before}, which is no gate of a pack of kind {kind}"
        allowed = list(STUDY_GATES) if kind == "study" else [g for g in (*GATES, ALWAYS) if g not in STUDY_GATES]
        f.fault("pack_gate", problem, "needed_before", allowed)
    elif stages and needed_before in LINE and needed_before not in stages:
        problem = f"needed before {needed_before}, which is no stage of the pack"
        f.fault("pack_stage_absent", problem, "needed_before", list(stages))
    if study and subject != "person":
        f.fault("pack_subject", f"what gates studies is of the person, not of the {subject}", "subject", "person")
    if needed_before == "request_approved" and subject != "request":
        problem = f"needed before a request is approved, so its subject cannot be the {subject}"
        f.fault("pack_subject", problem, "subject", "request")


def _requirement(f: Fields, pack: str, of: str, stages: tuple[str, ...]) -> Requirement:
    key = f.left.pop("key")
    kind = f.choice("kind", get_args(Kind))
    subject = f.choice("subject", get_args(Subject))
    needed_before: str = f.choice("needed_before", (*GATES, ALWAYS))
    if of and subject and needed_before:
        _check_gate(f, of, subject, needed_before, stages)
    asks = _asks(f, kind) if kind else f.left.pop("asks", None) and None
    validity = tuple(_validity(v) for v in f.objects("validity"))
    dated = PassportDates | AnyTest | LocalStaff | ForeignShare | PaidInCapital
    if validity and asks is not None and not isinstance(asks, dated):
        f.fault("pack_validity_none", "validity says nothing where there are no dates", "validity")
    if isinstance(asks, PassportDates) and not validity:
        f.fault("pack_validity_missing", "passport_dates needs a validity", "validity")
    effective_from, effective_to = f.span("effective_from", "effective_to")
    row = Requirement(
        key=key,
        title=f.text("title"),
        kind=kind,
        subject=subject,
        needed_before=needed_before,
        providers=f.codes("providers", get_args(Provider), needed=True),
        source=_source(f, pack),
        item=f.code("item") if "item" in f.left else key,
        asks=asks,
        instead=f.codes("instead", CODE),
        validity=validity,
        applies_if=tuple(_condition(c) for c in f.objects("applies_if")),
        waivable_by=f.codes("waivable_by", [r.value for r in Role]),
        effective_from=effective_from,
        effective_to=effective_to,
        limits=f.limits(),
        note=f.text("note", needed=False),
    )
    f.close()
    return row


def _among(a: Fields) -> FactAmong:
    allowed = "one_of" in a.left
    name = "one_of" if allowed else "none_of"
    return FactAmong(a.choice("fact", get_args(TextFact)), a.codes(name, needed=True), allowed)


ASKED: Final[Mapping[str, Callable[[Fields], Ask | None]]] = {
    "evidence": lambda _: None,
    "minimum_age": lambda a: MinimumAge(a.number("years", most=AGE_MOST)),
    "fact_at_most": lambda a: FactAtMost(a.choice("fact", ("stay_months", "people_in_country")), a.number("limit")),
    "passport_dates": lambda _: PassportDates(),
    "minimum_pay": lambda a: MinimumPay(a.amount("amount"), a.code("currency", CURRENCY)),
    "any_test": lambda a: AnyTest(tuple(_alternative(t) for t in a.objects("alternatives", needed=True))),
    "never_paid": lambda a: NeverPaid(
        a.codes("types", get_args(PaymentType), needed=True), a.codes("payers", get_args(Payer), needed=True)
    ),
    "paid_at_most": lambda a: PaidAtMost(
        a.number("months_of_pay", most=120),
        a.codes("payers", get_args(Payer), needed=True),
        a.codes("receivers", get_args(Receiver), needed=True),
    ),
    "local_staff": lambda a: LocalStaff(a.number("per_foreigner")),
    "foreign_share": lambda a: ForeignShare(a.number("percent", most=100)),
    "paid_in_capital": lambda a: PaidInCapital(a.amount("amount_per_foreigner"), a.code("currency", CURRENCY)),
    "fact_among": _among,
}
"""What stands under `asks`, by its name under `what`."""


def _asks(f: Fields, kind: Kind) -> Ask | None:
    """What a row asks for besides evidence, by the name under `what`."""
    content = f.take("asks", dict, needed=False) or {"what": "evidence"}
    a = f.inner("asks", content)
    what = a.choice("what", ASKS_OF_KIND[kind])
    if not what:
        return None
    asks = ASKED[what](a)
    a.close()
    return asks


def _alternative(f: Fields) -> TestAlternative:
    alternative = TestAlternative(
        test=f.code("test"),
        levels=f.codes("levels"),
        min_score=f.number("min_score") if "min_score" in f.left else None,
        same_field=f.flag("same_field"),
        at_least_asked=f.flag("at_least_asked"),
    )
    if f.is_object and not f.is_faulty("levels") and not alternative.levels and alternative.min_score is None:
        f.fault("pack_test_levels", f"the test {alternative.test!r} needs levels or min_score", "levels")
    f.close()
    return alternative


def _validity(f: Fields) -> Validity:
    rule: ValidityRule = f.choice("rule", get_args(ValidityRule))
    counted = rule.endswith("_from_issue")
    most = DAYS_MOST if rule == "days_from_issue" else MONTHS_MOST
    count = f.number("count", int(counted), most) if counted or "count" in f.left else 0
    validity = Validity(rule, count, f.choice("judged_on", get_args(DayName)) if "judged_on" in f.left else "event")
    f.close()
    return validity


def _condition(f: Fields) -> Condition:
    """`{"fact": ..., "<comparison>": value}`, the value of the comparison's type."""
    named: list[Comparison] = [c for c in get_args(Comparison) if c in f.left]
    if len(named) != 1:
        if f.is_object:
            f.fault("pack_comparison", "a condition needs one comparison", required=list(get_args(Comparison)))
        return Condition("field", "in", ())
    comparison = named[0]
    fact = f.choice("fact", FACTS_OF_COMPARISON[comparison])
    value: tuple[str, ...] | int | bool
    if comparison == "is":
        value = bool(f.take(comparison, bool))
    elif comparison in ("over", "from"):
        value = f.number(comparison, least=0)
    else:
        value = f.codes(comparison, OPTIONS if fact == "options" else None, needed=True)
    f.close()
    return Condition(fact, comparison, value)


def obligation_of(f: Fields, pack: str) -> Obligation:
    """An obligation from its fields."""
    f.row = f.code("key") or f.row
    effective_from, effective_to = f.span("effective_from", "effective_to")
    row = Obligation(
        key=f.row,
        title=f.text("title"),
        event=f.code("event"),
        due=_due(f),
        providers=f.codes("providers", get_args(Provider), needed=True),
        source=_source(f, pack),
        effective_from=effective_from,
        effective_to=effective_to,
        limits=f.limits(),
        note=f.text("note", needed=False),
    )
    f.close()
    return row


def _due(f: Fields) -> Due | None:
    content: Any = f.take("due", dict, needed=False)
    if content is None:
        return None
    d = f.inner("due", content)
    unit = d.choice("unit", ("days", "working_days", "years"))
    due = Due(d.number("count", most=10_000), unit, d.code("calendar", COUNTRY) if unit == "working_days" else None)
    d.close()
    return due
