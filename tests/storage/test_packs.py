"""The files of the packs: what ships is read whole, and a faulty file is refused with its place."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from service.domain.requirements import (
    GATES,
    LINE,
    Evidence,
    NoPack,
    Packs,
    Payment,
    RequirementFacts,
    TestResult,
    checklist,
    choose,
    unmet,
)
from service.storage.packs import FaultyPack, parse_pack, read_pack, read_packs, shipped_packs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ON = date(2027, 4, 1)
DAY = timedelta(days=1)


def chosen(nationality: str, destination: str, pathway: str) -> Packs:
    found = choose(shipped_packs(), nationality=nationality, destination=destination, pathway=pathway, on=ON)
    assert isinstance(found, Packs)
    return found


def keys(packs: Packs, stage: str, facts: RequirementFacts, on: date = ON) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for u in unmet(packs.requirements, GATES[stage], on, facts):
        found.setdefault(u.key, []).append(u.code)
    return found


# ---- what ships


def test_shipped_packs_are_those_of_the_reference() -> None:
    counted = {p.pin: (p.kind, p.pathway, len(p.requirements), len(p.obligations)) for p in shipped_packs()}
    assert counted == {
        "cn-dispatch@1": ("common", None, 24, 3),
        "cn-kh@1": ("pathway", "cn_kh", 10, 1),
        "cn-ru@1": ("pathway", "cn_ru", 15, 2),
        "cn-study@1": ("study", "cn_study", 5, 2),
        "cn-th@1": ("pathway", "cn_th", 12, 1),
        "de-16d3@1": ("pathway", "de_16d3", 24, 1),
        "de-18a@1": ("pathway", "de_18a", 20, 0),
        "de-ausbildung@1": ("pathway", "de_ausbildung", 19, 1),
        "fair-recruitment@1": ("overlay", None, 3, 0),
        "home-hire@1": ("pathway", "home_hire", 9, 1),
        "jp-esd@1": ("pathway", "jp_esd", 13, 6),
        "jp-ssw1@1": ("pathway", "jp_ssw1", 26, 6),
        "jp-titp@1": ("pathway", "jp_titp", 12, 4),
    }
    assert shipped_packs() is shipped_packs()


def test_only_official_sources_are_dated() -> None:
    packs = shipped_packs()
    sources = [r.source for p in packs for r in p.requirements] + [o.source for p in packs for o in p.obligations]
    dated = {(s.evidence, s.checked_on) for s in sources}
    official = {("official", date(2026, 11, 22)), ("official", date(2026, 11, 27))}
    assert dated == official | {("secondary", None), ("unverified", None)}


def test_chinese_national_to_japan_has_both_blocks() -> None:
    packs = chosen("CN", "JP", "jp_ssw1")
    assert packs.pins == ("jp-ssw1@1", "cn-dispatch@1", "fair-recruitment@1")
    assert (packs.departs, packs.stages) == (True, LINE)
    assert len(packs.requirements) == 53
    assert [o.key for o in packs.obligations] == [
        "life_orientation",
        "address_registration",
        "change_notice",
        "new_contract_notice",
        "employer_change_notice",
        "yearly_report",
        "contract_filing",
        "risk_reserve_topped_up",
        "embassy_report",
    ]


def test_thai_hired_at_home_has_neither_departure_nor_common_block() -> None:
    packs = chosen("TH", "TH", "home_hire")
    assert packs.pins == ("home-hire@1", "fair-recruitment@1")
    assert (packs.departs, packs.stages) == (False, ("contracting", "documents", "active"))
    facts = RequirementFacts(nationality="TH", destination="TH", country_of_study="TH", starts_on=ON)
    stages = {s for r in checklist(packs.requirements, facts) for s in r.stages}
    assert stages == {"request_approved", "nominated", "documents", "active", "always"}


def test_chinese_national_is_not_hired_at_home_abroad() -> None:
    assert choose(shipped_packs(), nationality="CN", destination="TH", pathway="home_hire", on=ON) == (
        NoPack("not_a_host_country_national", ["TH"], "CN")
    )


def test_chinese_national_to_germany_fits_the_common_block() -> None:
    assert chosen("CN", "DE", "de_18a").pins == ("de-18a@1", "cn-dispatch@1", "fair-recruitment@1")
    assert chosen("TH", "DE", "de_18a").pins == ("de-18a@1", "fair-recruitment@1")


def test_nomination_for_japan_asks_age_language_and_skill() -> None:
    packs = chosen("TH", "JP", "jp_ssw1")
    facts = RequirementFacts(nationality="TH", destination="JP", field="nursing_care", birth_on=date(2009, 4, 2))
    assert keys(packs, "nominated", facts) == {
        "minimum_age": ["too_young"],
        "japanese_test": ["test_not_passed"],
        "nursing_care_japanese_test": ["test_not_passed"],
        "field_skills_test": ["test_not_passed"],
    }
    good = replace(
        facts,
        tests=(
            TestResult(test="jft_basic", score=200, taken_on=ON, verified=True),
            TestResult(test="nursing_care_japanese", level="pass", taken_on=ON, verified=True),
            TestResult(test="ssw1_skills", level="pass", field="nursing_care", taken_on=ON, verified=True),
        ),
    )
    assert keys(packs, "nominated", good) == {"minimum_age": ["too_young"]}
    assert keys(packs, "nominated", good, ON + DAY) == {}


def test_minimum_age_shows_both_sources() -> None:
    packs = chosen("TH", "JP", "jp_ssw1")
    young = RequirementFacts(birth_on=date(2012, 1, 1))
    found = {u.key: u for u in unmet(packs.requirements, GATES["nominated"], ON, young)}["minimum_age"]
    assert [(s.pack, s.evidence) for s in found.sources] == [("jp-ssw1", "secondary"), ("fair-recruitment", "official")]
    assert found.evidence_mark == "secondary"


def test_deposit_closes_every_gate_of_everybody() -> None:
    facts = RequirementFacts(payments=(Payment("deposit", "family"),))
    for asked in (("CN", "JP", "jp_ssw1"), ("TH", "TH", "home_hire"), ("TH", "DE", "de_18a")):
        packs = chosen(*asked)
        closed = [
            stage for stage in GATES if keys(packs, stage, facts).get("no_deposit_or_penalty") == ["deposit_paid"]
        ]
        assert closed == list(GATES)


def test_certificate_of_eligibility_holds_for_visa_and_entry() -> None:
    packs = chosen("TH", "JP", "jp_ssw1")
    accepted = Evidence(state="accepted", issued_on=date(2026, 11, 30))
    last = date(2027, 2, 28)
    facts = RequirementFacts(
        planned_departure_on=last, evidence={"certificate_of_eligibility": accepted, "visa": Evidence(state="accepted")}
    )
    assert [keys(packs, "visa", facts, d) for d in (last, last + DAY)] == [
        {},
        {"certificate_of_eligibility": ["requirement_too_old"]},
    ]
    assert keys(packs, "ready", facts, last) == {}
    assert keys(packs, "ready", replace(facts, planned_departure_on=last + DAY), last) == {
        "certificate_of_eligibility_for_travel": ["requirement_too_old"]
    }
    assert [keys(packs, "departed", facts, d) for d in (last, last + DAY)] == [
        {},
        {"certificate_of_eligibility_at_entry": ["requirement_too_old"]},
    ]


def test_medical_examination_holds_longer_for_a_change_of_status() -> None:
    packs = chosen("CN", "JP", "jp_ssw1")
    held = {"medical_examination": Evidence(state="accepted", issued_on=date(2026, 12, 31))}
    abroad = RequirementFacts(evidence=held)
    there = replace(abroad, options=frozenset({"change_of_status"}))
    assert keys(packs, "authorisation", abroad)["medical_examination"] == ["requirement_too_old"]
    medical = [k for k in keys(packs, "authorisation", there) if k.startswith("medical")]
    assert medical == []
    assert keys(packs, "authorisation", there, date(2028, 1, 1))["medical_examination_change_of_status"] == (
        ["requirement_too_old"]
    )


def test_sending_country_procedure_follows_the_nationality() -> None:
    packs = chosen("CN", "JP", "jp_ssw1")
    asked = {
        n: "sending_country_procedure" in keys(packs, "authorisation", RequirementFacts(nationality=n))
        for n in ("CN", "RU", "TH", "KH", "VN")
    }
    assert asked == {"CN": False, "RU": False, "TH": True, "KH": True, "VN": True}


def test_accompanying_manager_is_asked_above_a_hundred() -> None:
    packs = chosen("CN", "JP", "jp_ssw1")
    counted = {
        n: [k for k in keys(packs, "ready", RequirementFacts(people_in_country=n)) if k.startswith("accompanying")]
        for n in (100, 101, None)
    }
    both = ["accompanying_manager", "accompanying_manager_filed"]
    assert counted == {100: [], 101: both, None: both}


def test_pay_is_asked_from_the_45th_birthday_at_first_entry() -> None:
    packs = chosen("TH", "DE", "de_18a")
    facts = RequirementFacts(birth_on=date(1982, 4, 1), first_entry=True)
    assert [keys(packs, "selected", facts, d) for d in (ON - DAY, ON)] == [{}, {"pay_from_45": ["fact_unknown"]}]
    assert keys(packs, "selected", replace(facts, first_entry=False)) == {}
    assert keys(packs, "selected", replace(facts, evidence={"pension_proof": Evidence(state="accepted")})) == {}


def test_chinese_is_asked_where_the_job_asks() -> None:
    packs = chosen("KH", "KH", "home_hire")
    assert keys(packs, "contracting", RequirementFacts()) == {}
    asked = RequirementFacts(levels_asked={"hsk_3": "4"})
    assert keys(packs, "contracting", asked) == {"chinese_test": ["test_not_passed"]}
    passed = replace(asked, tests=(TestResult(test="hsk_3", level="5", taken_on=ON, verified=True),))
    assert keys(packs, "contracting", passed) == {}
    other = replace(asked, tests=(TestResult(test="hsk_2", level="6", taken_on=ON, verified=True),))
    assert keys(packs, "contracting", other) == {"chinese_test": ["test_not_passed"]}


# ---- what is refused

ROW: dict[str, Any] = {
    "key": "paper",
    "title": "Paper",
    "kind": "document",
    "subject": "placement",
    "needed_before": "documents",
    "providers": ["trainee"],
    "source": "A law",
    "checked_on": None,
    "evidence": "secondary",
}
DUTY: dict[str, Any] = {
    "key": "report",
    "title": "Report",
    "event": "arrived",
    "due": {"count": 14, "unit": "days"},
    "providers": ["trainee"],
    "source": "A law",
    "evidence": "unverified",
}
PACK: dict[str, Any] = {
    "key": "some",
    "version": 1,
    "title": "Some",
    "kind": "pathway",
    "pathway": "some",
    "valid_from": "2026-01-01",
    "stages": ["contracting", "documents", "active"],
    "requirements": [ROW],
    "obligations": [DUTY],
}


def refused(content: object, file: str = "some-1.json") -> tuple[str, str, str]:
    with pytest.raises(FaultyPack) as found:
        read_pack(file, content if isinstance(content, str) else json.dumps(content))
    assert str(found.value) == f"{found.value.file}, {found.value.row}: {found.value.problem}"
    return found.value.file, found.value.row, found.value.problem


def changed(where: Callable[[dict[str, Any]], dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """The good pack with fields of one place changed; a field set to ... is left out."""
    content = deepcopy(PACK)
    place = where(content)
    place.update(fields)
    for name in [n for n, v in fields.items() if v is ...]:
        del place[name]
    return content


MOVE = {"rule": "move", "on": "2027-03-01", "source": "The order", "evidence": "unverified"}


def test_transition_is_read_and_no_release_moves_anybody() -> None:
    read = read_pack("some-1.json", json.dumps(PACK | {"transition": MOVE}))
    assert read.transition is not None
    assert (read.transition.rule, read.transition.on, read.transition.source.text) == (
        "move", date(2027, 3, 1), "The order",
    )  # fmt: skip
    assert [p.pin for p in shipped_packs() if p.transition] == []


def test_good_pack_is_read() -> None:
    read = read_pack("some-1.json", json.dumps(PACK))
    assert (read.pin, [r.key for r in read.requirements], [o.key for o in read.obligations]) == (
        "some@1",
        ["paper"],
        ["report"],
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"title": ...}, "title is missing"),
        ({"title": " "}, "title is empty"),
        ({"title": 7}, "title must be of type str, not 7"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"kind": "country"}, "kind 'country' is none of common, overlay, pathway, study"),
        ({"pathway": ...}, "pathway is missing"),
        ({"pathway": "Some One"}, "pathway 'Some One' is not written as a code"),
        ({"valid_from": ...}, "valid_from is missing"),
        ({"valid_from": "2026-02-30"}, "valid_from is not a date: '2026-02-30'"),
        ({"valid_to": "2025-12-31"}, "valid_to is before valid_from"),
        ({"stages": ["documents", "active"]}, "stages must have contracting and active"),
        ({"stages": ["contracting", "active", "documents"]}, "stages are not in the order of the line"),
        ({"stages": ["contracting", "contracting"]}, "stages has 'contracting' twice, or it is no text"),
        ({"stages": [1]}, "stages has 1 twice, or it is no text"),
        ({"kind": "overlay", "pathway": ...}, "a pack of kind overlay has no stages"),
        ({"nationalities": ["China"]}, "nationalities has 'China', which is not written as a code"),
        ({"version": True}, "version must be of type int, not True"),
        ({"version": 0}, "version must be at least 1, not 0"),
        ({"version": 2}, "the file must be named some-2.json"),
        ({"requirements": {}}, "requirements must be of type list, not {}"),
        ({"transition": "move"}, "transition must be of type dict, not 'move'"),
        ({"transition": MOVE | {"rule": "fly"}}, "rule 'fly' is none of move, stay"),
        ({"transition": MOVE | {"on": "soon"}}, "on is not a date: 'soon'"),
        ({"transition": MOVE | {"source": None}}, "source is missing"),
        ({"transition": MOVE | {"colour": "red"}}, "unknown field 'colour'"),
    ],
)
def test_faulty_pack_is_refused(fields: dict[str, Any], problem: str) -> None:
    place = "pack" if problem.startswith("version") else "some"
    assert refused(changed(lambda p: p, **fields)) == ("some-1.json", place, problem)


def test_unknown_term_is_refused() -> None:
    file, place, problem = refused(changed(lambda p: p, terms=["salary"]))
    assert (file, place, problem.partition(", which is none of ")[0]) == ("some-1.json", "some", "terms has 'salary'")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"title": ...}, "title is missing"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"needed_before": "visa"}, "needed before visa, which is no stage of the pack"),
        (
            {"needed_before": "request_approved"},
            "needed before a request is approved, so its subject cannot be the placement",
        ),
        ({"subject": "school"}, "subject 'school' is none of candidacy, person, placement, request"),
        ({"evidence": "hearsay"}, "evidence 'hearsay' is none of official, secondary, unverified"),
        ({"evidence": "official"}, "an official source needs checked_on"),
        ({"source_url": "www.gov.cn"}, "source_url 'www.gov.cn' does not begin with https://"),
        ({"source": ...}, "source is missing"),
        ({"providers": []}, "providers is empty"),
        ({"effective_from": "2026-02-01", "effective_to": "2026-01-31"}, "effective_to is before effective_from"),
        ({"limits": {"items": [1]}}, "limits has 'items', which is neither a number nor a text"),
        ({"asks": {"what": "minimum_age", "years": 18}}, "what 'minimum_age' is none of evidence"),
        ({"kind": "training", "asks": {"what": "evidence", "x": 1}}, "unknown field 'x'"),
        ({"kind": "fact", "asks": {"what": "minimum_age", "years": 0}}, "years must be at least 1, not 0"),
        ({"kind": "fact", "asks": {"what": "passport_dates"}}, "passport_dates needs a validity"),
        (
            {"kind": "fact", "asks": {"what": "fact_among", "fact": "field"}},
            "none_of is missing",
        ),
        (
            {"kind": "fact", "asks": {"what": "minimum_pay", "amount": "much", "currency": "EUR"}},
            "amount 'much' is not a number",
        ),
        (
            {"kind": "fact", "asks": {"what": "minimum_pay", "amount": "NaN", "currency": "EUR"}},
            "amount 'NaN' is not a number",
        ),
        (
            {"kind": "fact", "asks": {"what": "minimum_pay", "amount": "1", "currency": "euro"}},
            "currency 'euro' is not written as a code",
        ),
        ({"kind": "test"}, "what 'evidence' is none of any_test"),
        (
            {"kind": "test", "asks": {"what": "any_test", "alternatives": [{"test": "jlpt"}]}},
            "the test 'jlpt' needs levels or min_score",
        ),
        (
            {"kind": "test", "asks": {"what": "any_test", "alternatives": ["jlpt"]}},
            "an object was expected",
        ),
        (
            {"kind": "payment_rule", "asks": {"what": "never_paid", "types": ["deposit"], "payers": []}},
            "payers is empty",
        ),
        (
            {
                "kind": "fact",
                "asks": {"what": "minimum_age", "years": 18},
                "validity": [{"rule": "days_from_issue", "count": 1}],
            },
            "validity says nothing where there are no dates",
        ),
        ({"validity": [{"rule": "months_from_issue"}]}, "count is missing"),
        ({"validity": [{"rule": "covers", "count": -1}]}, "count must be at least 0, not -1"),
        (
            {"validity": [{"rule": "covers", "judged_on": "today"}]},
            "judged_on 'today' is none of ends_on, event, planned_departure_on, starts_on",
        ),
        ({"applies_if": [{"fact": "field"}]}, "a condition needs one comparison"),
        ({"applies_if": [{"fact": "field", "in": ["a"], "not_in": ["b"]}]}, "a condition needs one comparison"),
        ({"applies_if": [{"fact": "field", "in": []}]}, "in is empty"),
        ({"applies_if": [{"fact": "field", "over": 3}]}, "fact 'field' is none of age, people_in_country, stay_months"),
        ({"applies_if": [{"fact": "has_agency", "is": "yes"}]}, "is must be of type bool, not 'yes'"),
        (
            {"applies_if": [{"fact": "options", "has": ["luck"]}]},
            "has has 'luck', which is none of boi_promoted, change_of_status, fast_track, special_country",
        ),
        ({"applies_if": [{"fact": "age", "from": 45, "to": 50}]}, "unknown field 'to'"),
    ],
)
def test_faulty_requirement_is_refused(fields: dict[str, Any], problem: str) -> None:
    assert refused(changed(lambda p: p["requirements"][0], **fields)) == ("some-1.json", "paper", problem)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"event": ...}, "event is missing"),
        ({"due": {"count": 0, "unit": "days"}}, "count must be at least 1, not 0"),
        ({"due": {"count": 10, "unit": "weeks"}}, "unit 'weeks' is none of days, working_days, years"),
        ({"due": {"count": 10, "unit": "working_days"}}, "calendar is missing"),
        ({"due": {"count": 10, "unit": "days", "calendar": "CN"}}, "unknown field 'calendar'"),
        ({"colour": "red"}, "unknown field 'colour'"),
    ],
)
def test_faulty_obligation_is_refused(fields: dict[str, Any], problem: str) -> None:
    assert refused(changed(lambda p: p["obligations"][0], **fields)) == ("some-1.json", "report", problem)


def test_row_without_a_key_is_named_by_its_place() -> None:
    rows = [ROW, {k: v for k, v in ROW.items() if k != "key"}]
    assert refused(changed(lambda p: p, requirements=rows)) == ("some-1.json", "requirements 2", "key is missing")


def test_key_that_stands_twice_is_refused() -> None:
    assert refused(changed(lambda p: p, requirements=[ROW, ROW])) == ("some-1.json", "paper", "the key stands twice")


def test_field_that_stands_twice_is_refused() -> None:
    twice = '{"requirements": [{"key": "paper", "title": "A", "title": "B"}]}'
    assert refused(twice) == ("some-1.json", "paper", "the field 'title' stands twice")


def test_file_that_is_no_json_is_refused() -> None:
    assert refused("{\n  key: 1\n}") == (
        "some-1.json",
        "line 2",
        "not JSON: Expecting property name enclosed in double quotes",
    )
    assert refused([]) == ("some-1.json", "pack", "an object was expected")


def test_one_faulty_file_refuses_the_folder(tmp_path: Path) -> None:
    (tmp_path / "some-1.json").write_text(json.dumps(PACK), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a pack", encoding="utf-8")
    assert [p.pin for p in read_packs(tmp_path)] == ["some@1"]
    (tmp_path / "other-1.json").write_text(json.dumps(PACK), encoding="utf-8")
    with pytest.raises(FaultyPack, match=r"^other-1\.json, some: the file must be named some-1\.json$"):
        read_packs(tmp_path)


def test_shipped_files_are_written_alike() -> None:
    for file in (resources.files("service.data") / "packs").iterdir():
        text = file.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_every_fault_is_named_with_its_place() -> None:
    content = deepcopy(PACK) | {"title": " ", "nationalities": ["CN", "China"]}
    content["requirements"].append(
        ROW | {"key": "other", "validity": [{"rule": "covers"}, {"rule": "until", "count": -1}], "a/b": 1}
    )
    content["obligations"][0]["due"] = {"count": 0, "unit": "days"}
    with pytest.raises(FaultyPack) as found:
        parse_pack(content)
    assert [(f.pointer, f.code) for f in found.value.faults] == [
        ("/title", "pack_field_empty"),
        ("/nationalities/1", "pack_value_code"),
        ("/requirements/1/validity/1/rule", "pack_value_unknown"),
        ("/requirements/1/validity/1/count", "pack_number_least"),
        ("/requirements/1/a~1b", "pack_field_unknown"),
        ("/obligations/0/due/count", "pack_number_least"),
    ]


@pytest.mark.parametrize("content", [None, [], {}, 7, {"requirements": [None, 1, []]}, {"key": 1, "stages": [[]]}])
def test_anything_else_is_refused_and_never_breaks(content: Any) -> None:
    with pytest.raises(FaultyPack):
        parse_pack(content)


def test_gates_of_studies_and_of_work_do_not_mix() -> None:
    study = {"needed_before": "enrolled", "subject": "person"}
    assert refused(changed(lambda p: p["requirements"][0], **study))[2] == (
        "needed before enrolled, which is no gate of a pack of kind pathway"
    )
    content = changed(lambda p: p, kind="study", stages=[], pathway="some")
    content["requirements"][0] |= study
    assert parse_pack(content).pathway == "some"
