from collections import Counter
from decimal import Decimal
from zoneinfo import ZoneInfo

from service.domain.values import COUNTRIES
from service.sample.organisations import (
    AGENCIES,
    COLLEGES,
    COURSES,
    ENTERPRISES,
    PARTNERS,
    PROGRAMMES,
    SampleAgency,
    SampleCollege,
    SampleEnterprise,
    SamplePartner,
)


def test_organisations_are_as_many_as_the_sample_world_needs() -> None:
    assert (len(COLLEGES), len(PARTNERS), len(AGENCIES), len(ENTERPRISES)) == (2, 8, 3, 40)
    assert len({partner.country for partner in PARTNERS}) == 6


def test_organisations_have_codes_and_names_of_their_own() -> None:
    everyone: list[SampleCollege | SamplePartner | SampleAgency | SampleEnterprise] = [
        *COLLEGES,
        *PARTNERS,
        *AGENCIES,
        *ENTERPRISES,
    ]
    for names in ([o.code for o in everyone], [o.name_native for o in everyone], [o.name_latin for o in everyone]):
        assert [name for name, times in Counter(names).items() if times > 1] == []
    assert [o.name_latin for o in everyone if not (o.name_latin + o.city_latin).isascii()] == []


def test_organisations_stand_in_a_country_and_a_time_zone() -> None:
    placed: list[SampleCollege | SamplePartner | SampleEnterprise] = [*COLLEGES, *PARTNERS, *ENTERPRISES]
    assert {o.country for o in placed} - COUNTRIES.keys() == set()
    assert {o.time_zone: ZoneInfo(o.time_zone).key for o in placed} == {o.time_zone: o.time_zone for o in placed}


def test_enterprises_abroad_are_of_both_kinds() -> None:
    assert Counter(e.chinese_funded for e in ENTERPRISES) == {True: 14, False: 26}
    assert {e.country for e in ENTERPRISES} == {"JP", "DE", "TH", "KH", "RU", "VN", "KZ", "LA", "ID"}


def test_enterprises_recruit_for_unit_groups_of_isco_08() -> None:
    # fmt: off
    unit_groups = {
        "2221", "3115", "3119", "3221", "3434", "4224", "5120", "5131", "5151", "5321", "5322", "7212", "7213", "7214",
        "7222", "7223", "7231", "7233", "7411", "7412", "7421", "8160", "8211", "8212", "9112",
    }
    # fmt: on
    assert {code for e in ENTERPRISES for code in e.occupations} == unit_groups
    assert [e.code for e in ENTERPRISES if not e.occupations] == []


def test_courses_have_the_hours_of_their_credits() -> None:
    assert len({course.code for course in COURSES}) == len(COURSES)
    expected = {c.code: Decimal(c.credits) * (24 if c.is_placement else 16) for c in COURSES}
    assert {c.code: Decimal(c.hours) for c in COURSES} == expected


def test_every_trade_has_courses_in_both_stages_and_one_placement_abroad() -> None:
    trades = {"mechatronics", "nursing_care", "welding", "hospitality"}
    assert {(c.trade, c.stage) for c in COURSES} == {(trade, stage) for trade in trades for stage in (1, 2)}
    assert sorted((c.trade, c.stage) for c in COURSES if c.is_placement) == [(trade, 2) for trade in sorted(trades)]


def test_programmes_join_what_there_is() -> None:
    assert len({programme.code for programme in PROGRAMMES}) == len(PROGRAMMES)
    assert {p.partner for p in PROGRAMMES} == {partner.code for partner in PARTNERS}
    assert {p.trade for p in PROGRAMMES} == {course.trade for course in COURSES}
    units = {(college.code, unit.code) for college in COLLEGES for unit in college.units}
    assert [p.code for p in PROGRAMMES if (p.college, p.unit) not in units] == []


def test_programmes_say_their_pattern_in_their_titles() -> None:
    assert {p.pattern for p in PROGRAMMES} == {"2+1", "1+2", "2+2", "2.5+0.5", "1.5+1.5"}
    assert [p.code for p in PROGRAMMES if p.pattern not in p.title_native or p.pattern not in p.title_english] == []
