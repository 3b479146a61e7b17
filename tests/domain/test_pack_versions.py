"""An institution's own version of a pack: what may be loaded, and who may put it in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.domain.actors import ADMIN, COORDINATOR, INSTRUCTOR, Actor, Role
from service.domain.lifecycle import NEW, Reason, Refused
from service.domain.pack_versions import PACK_VERSION, NewVersion, VersionDossier
from service.domain.requirements import Pack

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
LOADER, OTHER = UUID(int=1), UUID(int=2)
PACK = Pack(key="th", version=2, title="Thailand", kind="pathway", valid_from=TODAY, valid_to=None, pathway="th_sent")
KNOWN = NewVersion(state=NEW, today=TODAY, library=(replace(PACK, version=1), PACK), loaded=(("th", 3), ("kh", 9)))
DRAFT = VersionDossier(state="draft", today=TODAY, since_on=TODAY, loaded_by=LOADER, account=OTHER)


def refused(action: str, facts: Any, given: dict[str, Any], role: Role = ADMIN) -> list[tuple[str, Any, str | None]]:
    try:
        PACK_VERSION.decide(action, facts, Actor(OTHER, frozenset({role})), given)
    except Refused as no:
        return [(r.code, r.required, r.pointer) for r in no.reasons]
    return []


def loaded(read: Any, facts: NewVersion = KNOWN, role: Role = COORDINATOR) -> list[tuple[str, Any, str | None]]:
    return refused("load", facts, {"content": {"key": "th"}, "rationale": "the quota changed", "read": read}, role)


def test_version_is_newer_than_every_version_that_is_there_or_was_loaded() -> None:
    assert loaded(replace(PACK, version=4)) == []
    assert loaded(replace(PACK, version=3)) == [("pack_version_newer", 4, "/content/version")]
    assert loaded(replace(PACK, version=3), replace(KNOWN, loaded=())) == []
    assert loaded(PACK, replace(KNOWN, loaded=())) == [("pack_version_newer", 3, "/content/version")]
    assert loaded(replace(PACK, key="la", version=4)) == [("pack_version_known", None, "/content/key")]
    assert [code for code, *_ in loaded(replace(PACK, version=4), role=INSTRUCTOR)] == ["role"]


def test_version_stays_of_the_kind_and_pathway_of_its_pack() -> None:
    assert loaded(replace(PACK, version=4, kind="overlay", pathway=None)) == [
        ("pack_same_kind", "pathway", "/content/kind"),
        ("pack_same_kind", "th_sent", "/content/pathway"),
    ]


def test_faults_of_the_file_are_all_told() -> None:
    faults = (Reason("pack_date", pointer="/content/valid_from"), Reason("pack_field_unknown", pointer="/content/luck"))
    assert loaded(faults) == [
        ("pack_date", None, "/content/valid_from"), ("pack_field_unknown", None, "/content/luck"),
    ]  # fmt: skip


def test_another_than_who_loaded_it_adopts_from_a_day_to_come() -> None:
    assert refused("adopt", DRAFT, {"from_on": TODAY}) == []
    assert refused("adopt", replace(DRAFT, account=LOADER), {"from_on": TODAY}) == [("adopted_by_another", None, None)]
    assert [c for c, *_ in refused("adopt", DRAFT, {"from_on": TODAY - DAY})] == ["pack_from_on"]
    ends = replace(DRAFT, valid_to=TODAY + DAY)
    assert refused("adopt", ends, {"from_on": TODAY + DAY}) == []
    assert [c for c, *_ in refused("adopt", ends, {"from_on": TODAY + 2 * DAY})] == ["pack_from_on"]
    assert [c for c, *_ in refused("adopt", DRAFT, {"from_on": TODAY}, COORDINATOR)] == ["role"]


def test_adopted_version_is_retired_never_withdrawn() -> None:
    adopted = replace(DRAFT, state="adopted")
    assert refused("retire", adopted, {"until_on": TODAY}) == []
    assert [c for c, *_ in refused("retire", adopted, {"until_on": TODAY - DAY})] == ["pack_from_on"]
    assert [c for c, *_ in refused("withdraw", adopted, {})] == ["not_from_this_state"]
    assert refused("withdraw", DRAFT, {}) == []
    with pytest.raises(Refused):
        PACK_VERSION.decide("adopt", replace(DRAFT, state="withdrawn"), Actor(OTHER, frozenset({ADMIN})), {})
