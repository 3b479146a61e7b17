from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.values import (
    COUNTRIES,
    Money,
    Passport,
    Period,
    Problem,
    add_months,
    age_on,
    check_digit,
    country_of,
    read_mrz,
    write_mrz,
)

# The specimen of ICAO Doc 9303 part 4, appendix B.
LINE1 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
LINE2 = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
ERIKSSON = Passport(
    issuing_state="UTO",
    surname="ERIKSSON",
    given_names="ANNA MARIA",
    number="L898902C3",
    nationality="UTO",
    birth_on=date(1974, 8, 12),
    sex="F",
    expires_on=date(2012, 4, 15),
    personal_number="ZE184226B",
)
UTOPIA = (Problem("issuing_state_unknown", "/line1"), Problem("nationality_unknown", "/line2"))
AS_OF = date(2011, 1, 1)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"

WEBER = Passport(
    issuing_state="D",
    surname="WEBER",
    given_names="JONAS",
    number="C01X00T47",
    nationality="D",
    birth_on=date(2004, 2, 29),
    sex="X",
    expires_on=date(2033, 5, 1),
)


def codes(line1: str, line2: str, as_of: date = AS_OF) -> list[str]:
    read = read_mrz(line1, line2, as_of=as_of)
    return [] if isinstance(read, Passport) else [problem.code for problem in read]


@pytest.mark.parametrize(
    ("text", "digit"),
    [("L898902C3", "6"), ("740812", "2"), ("120415", "9"), ("ZE184226B<<<<<", "1"), ("<" * 14, "0"), ("", "0")],
)
def test_check_digit_of_the_specimen(text: str, digit: str) -> None:
    assert check_digit(text) == digit


@pytest.mark.parametrize("text", ["l898902C3", "L89 902C3", "\u0661", "Ü"])
def test_check_digit_refuses_other_characters(text: str) -> None:
    with pytest.raises(ValueError, match="only A-Z, 0-9 and <"):
        check_digit(text)


def test_specimen_is_right_in_everything_but_its_state() -> None:
    assert read_mrz(LINE1, LINE2, as_of=AS_OF) == UTOPIA


def test_specimen_of_a_real_state_reads() -> None:
    line2 = LINE2.replace("UTO", "SWE")
    expected = replace(ERIKSSON, issuing_state="SWE", nationality="SWE")
    assert read_mrz(LINE1.replace("UTO", "SWE"), line2, as_of=AS_OF) == expected


def test_specimen_is_written_as_published() -> None:
    assert write_mrz(ERIKSSON) == (LINE1, LINE2)


def test_every_corruption_of_line_2_that_can_be_detected_is() -> None:
    no_digit_covers = {10, 11, 12, 20}  # nationality and sex
    are_digits = {9, 19, 27, 42, 43}
    value = {character: index % 10 for index, character in enumerate(ALPHABET)} | {"<": 0}
    corrupted = [
        LINE2[:position] + new + LINE2[position + 1 :]
        for position, old in enumerate(LINE2)
        for new in ALPHABET
        if new != old and position not in no_digit_covers and (value[new] != value[old] or position in are_digits)
    ]
    assert [line for line in corrupted if read_mrz(LINE1, line, as_of=AS_OF) == UTOPIA] == []
    assert len(corrupted) == 1335


def test_letter_in_a_date_is_found_even_where_the_check_digit_agrees() -> None:
    line2 = LINE2.replace("740812", "74A812")  # A counts 10, the 0 in its place counts 0
    assert codes(LINE1, line2) == ["issuing_state_unknown", "nationality_unknown", "birth_on_not_a_date"]


def test_each_check_digit_has_its_own_problem() -> None:
    line1, line2 = write_mrz(replace(WEBER, personal_number="77"))
    wrong = {9: "number", 19: "birth_on", 27: "expires_on", 42: "personal_number", 43: "composite"}
    found = {}
    for position in wrong:
        digit = str((int(line2[position]) + 1) % 10)
        found[position] = codes(line1, line2[:position] + digit + line2[position + 1 :])
    composite = "composite_check_digit_wrong"  # it covers the other digits too
    assert found == {
        position: [f"{name}_check_digit_wrong", composite] if position != 43 else [composite]
        for position, name in wrong.items()
    }


def test_every_problem_is_reported_at_once() -> None:
    line1 = "I<ZZZ<<NO<SURNAME".ljust(44, "<")
    line2 = "<<<<<<<<<0ZZZ7413325Q9913313" + "<" * 15 + "9"
    assert codes(line1, line2) == [
        "document_type_not_passport",
        "issuing_state_unknown",
        "name_not_readable",
        "number_missing",
        "nationality_unknown",
        "sex_unknown",
        "birth_on_not_a_date",
        "expires_on_not_a_date",
        "birth_on_check_digit_wrong",
        "expires_on_check_digit_wrong",
        "composite_check_digit_wrong",
    ]


def test_broken_line_does_not_hide_the_problems_of_the_other() -> None:
    assert read_mrz("p<d", LINE2, as_of=AS_OF) == (
        Problem("line_length_wrong", "/line1", "44", "3"),
        Problem("character_not_allowed", "/line1", "A-Z 0-9 <"),
        Problem("nationality_unknown", "/line2"),
    )
    assert read_mrz(LINE1, LINE2[:-1] + "¹", as_of=AS_OF) == (
        Problem("character_not_allowed", "/line2", "A-Z 0-9 <"),
        Problem("issuing_state_unknown", "/line1"),
    )


@pytest.mark.parametrize("lines", [(LINE2, LINE1), (LINE2[1:], LINE2), (LINE1, LINE2.lower())])
def test_problems_never_repeat_the_passport_number(lines: tuple[str, str]) -> None:
    told = repr(read_mrz(*lines, as_of=AS_OF)).upper()
    number = "L898902C3"
    assert [number[i : i + 2] for i in range(8) if number[i : i + 2] in told] == []


def test_passport_keeps_its_numbers_out_of_the_repr() -> None:
    assert "L898902C3" not in repr(ERIKSSON)
    assert "ZE184226B" not in repr(ERIKSSON)


def test_germany_is_one_letter() -> None:
    line1, line2 = write_mrz(WEBER)
    assert (line1[:5], line2[10:13]) == ("P<D<<", "D<<")
    assert read_mrz(line1, line2, as_of=AS_OF) == WEBER
    assert codes(line1.replace("D<<", "DEU", 1), line2) == ["issuing_state_unknown"]


def test_empty_personal_number_may_have_a_filler_as_its_digit() -> None:
    line1, line2 = write_mrz(WEBER)
    assert line2[42] == "0"
    assert read_mrz(line1, f"{line2[:42]}<{line2[43]}", as_of=AS_OF) == WEBER


def test_filler_is_no_digit_of_a_personal_number_that_is_there() -> None:
    # 1 x 7 + 1 x 3 = 10: the digit is 0, and only a 0 will do.
    line1, line2 = write_mrz(replace(WEBER, personal_number="11"))
    assert codes(line1, f"{line2[:42]}<{line2[43]}") == ["personal_number_check_digit_wrong"]


@pytest.mark.parametrize(
    ("document_type", "expected"),
    [("P", "P"), ("PP", "PP"), ("PD", "PD")],
)
def test_every_kind_of_passport_reads(document_type: str, expected: str) -> None:
    read = read_mrz(*write_mrz(replace(WEBER, document_type=document_type)), as_of=AS_OF)
    assert isinstance(read, Passport)
    assert read.document_type == expected


@pytest.mark.parametrize(
    ("yymmdd", "as_of", "birth_on"),
    [
        ("110101", date(2011, 1, 1), date(2011, 1, 1)),
        ("110102", date(2011, 1, 1), date(1911, 1, 2)),
        ("991231", date(2026, 9, 1), date(1999, 12, 31)),
        ("000229", date(2026, 9, 1), date(2000, 2, 29)),
        ("260901", date(2026, 9, 1), date(2026, 9, 1)),
        ("260902", date(2026, 9, 1), date(1926, 9, 2)),
    ],
)
def test_birth_is_the_latest_that_is_not_in_the_future(yymmdd: str, as_of: date, birth_on: date) -> None:
    read = _read_with(yymmdd, "300101", as_of)
    assert isinstance(read, Passport)
    assert read.birth_on == birth_on


@pytest.mark.parametrize(
    ("yymmdd", "as_of", "expires_on"),
    [
        ("350101", date(2026, 9, 1), date(2035, 1, 1)),
        ("751231", date(2026, 9, 1), date(2075, 12, 31)),
        ("760101", date(2026, 9, 1), date(1976, 1, 1)),
        ("990101", date(2026, 9, 1), date(1999, 1, 1)),
        ("050101", date(1999, 9, 1), date(2005, 1, 1)),
        ("040229", date(2096, 9, 1), date(2104, 2, 29)),
    ],
)
def test_expiry_is_the_one_near_the_reference_date(yymmdd: str, as_of: date, expires_on: date) -> None:
    read = _read_with("750101", yymmdd, as_of)
    assert isinstance(read, Passport)
    assert read.expires_on == expires_on


def _read_with(birth: str, expiry: str, as_of: date) -> Passport | tuple[Problem, ...]:
    number, birth, expiry, personal = (text + check_digit(text) for text in ("C01X00T47", birth, expiry, "<" * 14))
    line2 = f"{number}FRA{birth}M{expiry}{personal}{check_digit(number + birth + expiry + personal)}"
    return read_mrz("P<FRAMARTIN<<LUC".ljust(44, "<"), line2, as_of=as_of)


def test_dates_that_cannot_be_are_problems() -> None:
    as_of = date(2026, 9, 1)
    assert _read_with("030229", "300101", as_of) == (Problem("birth_on_not_a_date", "/line2", "YYMMDD"),)
    assert _read_with("03<<<<", "300101", as_of) == (Problem("birth_on_incomplete", "/line2", "YYMMDD"),)
    assert _read_with("030228", "301301", as_of) == (Problem("expires_on_not_a_date", "/line2", "YYMMDD"),)
    assert _read_with("030228", "030228", as_of) == (Problem("expires_on_before_birth_on", "/line2"),)


@pytest.mark.parametrize(
    ("surname", "given_names", "field"),
    [
        ("SUHARTI", "", "SUHARTI"),
        ("O'CONNOR", "ENYA SIOBHAN", "OCONNOR<<ENYA<SIOBHAN"),
        ("MARTIN-LEFEVRE", "ANNE-MARIE", "MARTIN<LEFEVRE<<ANNE<MARIE"),
        ("NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG", "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K"),
        ("A" * 50, "BEA", "A" * 36 + "<<B"),
        ("A" * 50, "", "A" * 39),
    ],
)
def test_names_are_fitted_into_the_line(surname: str, given_names: str, field: str) -> None:
    line1, line2 = write_mrz(replace(WEBER, surname=surname, given_names=given_names))
    assert line1 == "P<D<<" + field.ljust(39, "<")
    assert codes(line1, line2) == []


def test_passport_name_is_written_surname_first() -> None:
    assert ERIKSSON.name == "ERIKSSON, ANNA MARIA"
    assert replace(ERIKSSON, given_names="").name == "ERIKSSON"


@pytest.mark.parametrize(
    ("passport", "field"),
    [
        (replace(WEBER, surname="MÜLLER"), "name"),
        (replace(WEBER, surname=""), "name"),
        (replace(WEBER, given_names="jonas"), "name"),
        (replace(WEBER, number=""), "number"),
        (replace(WEBER, number="C01X00T471"), "number"),
        (replace(WEBER, nationality="DE"), "nationality"),
        (replace(WEBER, issuing_state="Deutschland"), "issuing_state"),
        (replace(WEBER, sex="W"), "sex"),
        (replace(WEBER, document_type="V"), "document_type"),
        (replace(WEBER, personal_number="1" * 15), "personal_number"),
    ],
)
def test_what_cannot_be_written_is_refused_by_its_field(passport: Passport, field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} cannot be written in a machine readable zone$"):
        write_mrz(passport)


names = st.lists(st.text("ABCXYZ", min_size=1, max_size=6), min_size=1, max_size=2).map(" ".join)


@given(
    st.builds(
        Passport,
        issuing_state=st.sampled_from(sorted(COUNTRIES.values())),
        surname=names,
        given_names=names | st.just(""),
        number=st.text(ALPHABET[:-1], min_size=1, max_size=9),
        nationality=st.sampled_from(sorted(COUNTRIES.values())),
        birth_on=st.dates(date(1927, 1, 1), date(2026, 9, 1)),
        sex=st.sampled_from("MFX"),
        expires_on=st.dates(date(2026, 9, 2), date(2075, 12, 31)),
        personal_number=st.text(ALPHABET[:-1], max_size=14),
        document_type=st.sampled_from(["P", "PP", "PO"]),
    )
)
def test_what_is_written_reads_back(passport: Passport) -> None:
    line1, line2 = write_mrz(passport)
    assert (len(line1), len(line2)) == (44, 44)
    assert read_mrz(line1, line2, as_of=date(2026, 9, 1)) == passport


def test_countries_are_the_whole_of_iso_3166() -> None:
    assert len(COUNTRIES) == 249
    assert [code for code in COUNTRIES if len(code) != 2] == []
    assert [code for code in COUNTRIES.values() if len(code) != 3] == ["D"]
    assert [code for code, passport_code in COUNTRIES.items() if country_of(passport_code) != code] == []


@pytest.mark.parametrize(
    ("passport_code", "country"),
    [("CHN", "CN"), ("D", "DE"), ("DEU", None), ("GBN", "GB"), ("XXA", None), ("UTO", None), ("", None)],
)
def test_country_of_a_passport_code(passport_code: str, country: str | None) -> None:
    assert country_of(passport_code) == country


def test_stateless_nationality_reads_though_it_is_no_country() -> None:
    read = read_mrz(*write_mrz(replace(WEBER, nationality="XXA")), as_of=AS_OF)
    assert isinstance(read, Passport)
    assert read.nationality == "XXA"


def test_money_is_exact() -> None:
    assert Money(Decimal("0.10"), "EUR") == Money(Decimal("0.1"), "EUR")
    assert Money(Decimal("0.10"), "EUR") != Money(Decimal("0.10"), "CNY")


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(Decimal("NaN"), "EUR"), (Decimal("Infinity"), "EUR"), (Decimal(1), "eur"), (Decimal(1), "EURO")],
)
def test_money_refuses_what_is_none(amount: Decimal, currency: str) -> None:
    with pytest.raises(ValueError, match=r"must be a number|three capital letters"):
        Money(amount, currency)


MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


@pytest.mark.parametrize(
    ("day", "inside"),
    [
        (date(2026, 2, 28), False),
        (date(2026, 3, 1), True),
        (date(2026, 3, 31), True),
        (date(2026, 4, 1), False),
    ],
)
def test_period_contains_both_its_ends(day: date, *, inside: bool) -> None:
    assert MARCH.contains(day) is inside


@pytest.mark.parametrize(
    ("from_on", "until_on", "overlaps", "covers"),
    [
        (date(2026, 2, 1), date(2026, 2, 28), False, False),
        (date(2026, 2, 1), date(2026, 3, 1), True, False),
        (date(2026, 3, 1), date(2026, 3, 31), True, True),
        (date(2026, 3, 31), date(2026, 3, 31), True, True),
        (date(2026, 3, 31), date(2026, 4, 1), True, False),
        (date(2026, 1, 1), date(2026, 12, 31), True, False),
        (date(2026, 4, 1), date(2026, 4, 2), False, False),
    ],
)
def test_period_overlaps_and_covers(from_on: date, until_on: date, *, overlaps: bool, covers: bool) -> None:
    other = Period(from_on, until_on)
    assert (MARCH.overlaps(other), other.overlaps(MARCH), MARCH.covers(other)) == (overlaps, overlaps, covers)


def test_period_must_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="must not end before it begins"):
        Period(date(2026, 3, 2), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("birth_on", "day", "age"),
    [
        (date(2008, 9, 1), date(2026, 8, 31), 17),
        (date(2008, 9, 1), date(2026, 9, 1), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 28), 19),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2008, 3, 1), date(2028, 2, 29), 19),
        (date(2008, 2, 29), date(2008, 2, 29), 0),
    ],
)
def test_age_on_a_day(birth_on: date, day: date, age: int) -> None:
    assert age_on(birth_on, day) == age


def test_age_before_birth_is_refused() -> None:
    with pytest.raises(ValueError, match="no age before birth"):
        age_on(date(2026, 1, 2), date(2026, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 2, 28), 1, date(2026, 3, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 8, 31), 0, date(2026, 8, 31)),
    ],
)
def test_months_are_added_to_the_same_day_or_the_last(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected
