"""The code lists: each with both labels, and each naming exactly what the domain names."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import Any, get_args

import pytest

import service.domain
from service.domain.actors import Role
from service.domain.consents import PURPOSES
from service.domain.documents import DOCUMENT_KINDS
from service.domain.journey import STAGES
from service.domain.lifecycle import Lifecycle, because
from service.domain.relationships import ORGANISATION_KINDS
from service.domain.requirements.model import MARKS, Payer, PaymentType

FOLDER = Path(service.domain.__file__).parents[1] / "data" / "codes"
FILES = sorted(FOLDER.glob("*.json"))
HAN = re.compile(r"[\u4e00-\u9fff]")
FORMS = {
    "countries": r"[A-Z]{2}",
    "currencies": r"[A-Z]{3}",
    "fields_of_education": r"\d{2,3}",
    "languages": r"[a-z]{2,3}(-[A-Z][a-z]{3})?",
    "occupations": r"\d{4}",
}
"""The form of another body's codes; ours are lower-case words."""
OURS = r"[a-z][a-z0-9]*(_[a-z0-9]+)*"


def entries(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["codes"]
    return found


def codes(name: str) -> list[str]:
    return [entry["code"] for entry in entries(name)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_code_list_is_well_formed(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert list(content) == ["list", "source", "codes"]
    assert content["list"] == path.stem
    assert content["source"].strip() == content["source"] != ""
    form = re.compile(FORMS.get(path.stem, OURS))
    assert [entry["code"] for entry in content["codes"] if not form.fullmatch(entry["code"])] == []
    assert {frozenset(entry) for entry in content["codes"]} == {frozenset(content["codes"][0])}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_code_list_has_both_labels_everywhere(path: Path) -> None:
    for entry in entries(path.stem):
        assert entry["en"].strip() == entry["en"] != "", entry
        assert not HAN.search(entry["en"]), entry
        assert entry["zh"].strip() == entry["zh"], entry
        assert HAN.search(entry["zh"]), entry


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_code_list_names_nothing_twice(path: Path) -> None:
    for key in ("code", "en", "zh"):
        # Two fields of education bear the name of the broad field that holds nothing else.
        if path.stem != "fields_of_education" or key == "code":
            named = [entry[key] for entry in entries(path.stem)]
            assert sorted(set(named)) == sorted(named)


def test_countries_are_the_249_of_the_standard() -> None:
    alpha3 = {entry["code"]: entry["alpha3"] for entry in entries("countries")}
    assert len(alpha3) == 249
    assert len(set(alpha3.values())) == 249
    assert [code for code in alpha3.values() if not re.fullmatch(r"[A-Z]{3}", code)] == []
    assert {c: alpha3[c] for c in ("CN", "JP", "DE", "TH", "KH", "RU")} == {
        "CN": "CHN",
        "JP": "JPN",
        "DE": "DEU",
        "TH": "THA",
        "KH": "KHM",
        "RU": "RUS",
    }


def test_currencies_without_minor_unit_are_these() -> None:
    assert [entry["code"] for entry in entries("currencies") if entry["digits"] == 0] == ["JPY", "KRW", "VND"]


def test_narrow_fields_of_education_stand_under_a_broad_one() -> None:
    named = codes("fields_of_education")
    broad = [code for code in named if len(code) == 2]
    assert broad == [f"{n:02}" for n in range(11)]
    assert {code[:2] for code in named if len(code) == 3} == set(broad)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("consent_purposes", PURPOSES),
        ("cost_types", get_args(PaymentType)),
        ("document_kinds", DOCUMENT_KINDS),
        ("evidence_marks", MARKS),
        ("journey_stages", STAGES),
        ("organisation_kinds", ORGANISATION_KINDS),
        ("payers", get_args(Payer)),
        ("roles", [role.value for role in Role]),
    ],
)
def test_code_list_names_what_the_domain_names(name: str, domain: tuple[str, ...]) -> None:
    assert sorted(codes(name)) == sorted(domain)


def test_reasons_label_every_reason_a_lifecycle_asks_for() -> None:
    modules = [
        importlib.import_module(m.name) for m in pkgutil.walk_packages(service.domain.__path__, "service.domain.")
    ]
    lifecycles = {id(v): v for m in modules for v in vars(m).values() if isinstance(v, Lifecycle)}.values()
    asked = {
        code
        for lifecycle in lifecycles
        for rule in lifecycle.rules
        for takes in rule.takes
        if takes.code == because().code
        for code in takes.choices
    }
    assert len(lifecycles) > 0
    assert asked - set(codes("reasons")) == set()
