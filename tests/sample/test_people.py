import re
from collections import Counter
from datetime import date, timedelta

import pytest

from service.domain.values import COUNTRIES, Passport, age_on, read_mrz
from service.sample.people import AS_OF, MIX, SamplePerson, people

# What a name is written in; the marks above and below Thai, Lao and Khmer letters are of the same blocks.
SCRIPTS = {
    "CN": "[\u4e00-\u9fff]{2,4}",
    "TH": "[\u0e00-\u0e7f]+ [\u0e00-\u0e7f]+",
    "LA": "[\u0e80-\u0eff]+ [\u0e80-\u0eff]+",
    "KH": "[\u1780-\u17ff]+ [\u1780-\u17ff]+",
    "RU": "[\u0400-\u04ff]+ [\u0400-\u04ff]+ [\u0400-\u04ff]+",
    "KZ": "[\u0400-\u04ff]+ [\u0400-\u04ff]+ [\u0400-\u04ff]+",
    "VN": "[A-Za-z\u00c0-\u1ef9 ]+",
    "ID": "[A-Za-z ]+",
}
NUMBERS = {
    "CN": r"E[A-HJ-NP-Z0-9]\d{7}",
    "TH": r"A[ABC]\d{7}",
    "LA": r"PA\d{7}",
    "KH": r"N0\d{7}",
    "RU": r"[67]\d{8}",
    "KZ": r"N\d{8}",
    "VN": r"[BC]\d{7}",
    "ID": r"[BCX]\d{7}",
}

FIRST = [
    ("Маркова Яна Антоновна", "MARKOVA, IANA", "1998-08-23"),
    ("Васильев Фёдор Викторович", "VASILEV, FEDOR", "2008-03-01"),
    ("向泽航", "XIANG, ZEHANG", "2003-11-10"),
    ("尹雪婷", "YIN, XUETING", "1999-06-10"),
]


@pytest.fixture(scope="module")
def crowd() -> list[SamplePerson]:
    return list(people(20260901, 3_000))


def test_people_of_one_seed_are_the_same(crowd: list[SamplePerson]) -> None:
    assert list(people(20260901, 3_000)) == crowd


def test_people_of_another_seed_are_others(crowd: list[SamplePerson]) -> None:
    others = {person.passport_number for person in people(20260902, 3_000)}
    assert len(others & {person.passport_number for person in crowd}) < 10


def test_first_people_of_a_seed_stay_who_they_are() -> None:
    # Written down once: tests and screenshots elsewhere may name them.
    assert [(p.name_native, p.name_latin, p.birth_on.isoformat()) for p in people(1, 4, {"CN": 1, "RU": 1})] == FIRST


def test_people_come_in_exactly_the_shares_of_the_mix(crowd: list[SamplePerson]) -> None:
    assert Counter(person.nationality for person in crowd) == {code: share * 30 for code, share in MIX.items()}
    seven = Counter(person.nationality for person in people(1, 7, {"CN": 2, "TH": 1}))
    assert seven == {"CN": 5, "TH": 2}


def test_people_of_a_nationality_without_names_are_refused() -> None:
    with pytest.raises(KeyError, match="FR"):
        next(people(1, 1, {"FR": 1}))


def test_people_are_told_apart(crowd: list[SamplePerson]) -> None:
    assert len({person.passport_number for person in crowd}) == 3_000
    assert len({person.email for person in crowd}) == 3_000
    assert len({person.phone for person in crowd}) == 3_000
    assert len({person.name_native for person in crowd}) > 2_900


def test_people_write_their_names_in_their_script(crowd: list[SamplePerson]) -> None:
    assert {person.nationality for person in crowd} == SCRIPTS.keys()
    written_otherwise = [p for p in crowd if not re.fullmatch(SCRIPTS[p.nationality], p.name_native)]
    assert written_otherwise == []


def test_people_have_latin_names_as_in_passports(crowd: list[SamplePerson]) -> None:
    assert [p.name_latin for p in crowd if not re.fullmatch(r"[A-Z]+(, [A-Z]+( [A-Z]+)*)?", p.name_latin)] == []
    assert {p.nationality for p in crowd if "," not in p.name_latin} == {"ID"}  # some have one word only


@pytest.mark.parametrize(
    ("nationality", "native", "latin"),
    [
        ("CN", "吕", "LYU"),
        ("CN", "曾", "ZENG"),
        ("CN", "欧阳", "OUYANG"),
        ("RU", "Щукин ", "SHCHUKIN"),
        ("RU", "Щукина ", "SHCHUKINA"),
        ("RU", "Соловьёв ", "SOLOVEV"),
        ("RU", "Островская ", "OSTROVSKAIA"),
        ("KZ", "Қожахметова ", "KOZHAKHMETOVA"),
        ("VN", "Đặng ", "DANG"),
    ],
)
def test_surname_is_spelt_as_in_passports(nationality: str, native: str, latin: str) -> None:
    bearers = [p for p in people(11, 2_000, {nationality: 1}) if p.name_native.startswith(native)]
    assert {p.name_latin.partition(",")[0] for p in bearers} == {latin}


def test_every_machine_readable_zone_reads_back(crowd: list[SamplePerson]) -> None:
    for person in crowd:
        surname, _, given_names = person.name_latin.partition(", ")
        assert read_mrz(*person.mrz, as_of=AS_OF) == Passport(
            issuing_state=COUNTRIES[person.nationality],
            surname=surname,
            given_names=given_names,
            number=person.passport_number,
            nationality=COUNTRIES[person.nationality],
            birth_on=person.birth_on,
            sex=person.sex,
            expires_on=person.passport_expires_on,
        )


def test_passports_have_numbers_as_their_country_gives_them(crowd: list[SamplePerson]) -> None:
    assert [p for p in crowd if not re.fullmatch(NUMBERS[p.nationality], p.passport_number)] == []


def test_passports_are_in_force(crowd: list[SamplePerson]) -> None:
    assert [p for p in crowd if not p.birth_on < p.passport_issued_on < AS_OF < p.passport_expires_on] == []
    soon = [p for p in crowd if p.passport_expires_on < AS_OF + timedelta(days=180)]
    assert 0 < len(soon) < 150


def test_ages_run_from_16_to_35_and_minors_are_few(crowd: list[SamplePerson]) -> None:
    ages = Counter(age_on(person.birth_on, AS_OF) for person in crowd)
    assert set(ages) == set(range(16, 36))
    assert ages[16] + ages[17] == 60


def test_ages_follow_the_date_that_is_handed_in() -> None:
    on = date(2030, 2, 28)
    assert {age_on(p.birth_on, on) >= 16 and p.passport_issued_on < on for p in people(3, 200, as_of=on)} == {True}


def test_minors_alone_have_a_guardian(crowd: list[SamplePerson]) -> None:
    assert [p for p in crowd if (p.guardian is None) != (age_on(p.birth_on, AS_OF) >= 18)] == []
    guardians = [p.guardian for p in crowd if p.guardian]
    assert {g.relation for g in guardians} == {"father", "mother", "grandmother"}
    assert len({g.phone for g in guardians} - {p.phone for p in crowd}) == 60


def test_guardian_bears_the_family_name_where_custom_has_it() -> None:
    for person in people(5, 2_000, {"CN": 1, "TH": 1}):
        if person.guardian and person.guardian.relation == "father":
            assert person.guardian.name_latin.partition(",")[0] == person.name_latin.partition(",")[0]


def test_mail_and_phones_reach_nobody(crowd: list[SamplePerson]) -> None:
    assert [p.email for p in crowd if not re.fullmatch(r"[a-z.]+\d*@example\.(org|com|net)", p.email)] == []
    phones = [p.phone for p in crowd] + [p.guardian.phone for p in crowd if p.guardian]
    assert [phone for phone in phones if not re.fullmatch(r"\+3363998\d{4}", phone)] == []
