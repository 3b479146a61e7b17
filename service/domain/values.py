"""Values every capability shares: countries, passports by ICAO Doc 9303, money, periods, ages."""

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import cycle
from string import ascii_uppercase, digits
from types import MappingProxyType
from typing import Final

# The code that passports of a country carry, by its ISO 3166-1 alpha-2 code: alpha-3 (ISO 3166-1:2020, 249 rows),
# save Germany, which writes D (Doc 9303 part 3, section 5).
COUNTRIES: Final = MappingProxyType(
    dict(
        pair.split(":")
        for pair in """
AD:AND AE:ARE AF:AFG AG:ATG AI:AIA AL:ALB AM:ARM AO:AGO AQ:ATA AR:ARG AS:ASM AT:AUT AU:AUS AW:ABW AX:ALA AZ:AZE
BA:BIH BB:BRB BD:BGD BE:BEL BF:BFA BG:BGR BH:BHR BI:BDI BJ:BEN BL:BLM BM:BMU BN:BRN BO:BOL BQ:BES BR:BRA BS:BHS
BT:BTN BV:BVT BW:BWA BY:BLR BZ:BLZ CA:CAN CC:CCK CD:COD CF:CAF CG:COG CH:CHE CI:CIV CK:COK CL:CHL CM:CMR CN:CHN
CO:COL CR:CRI CU:CUB CV:CPV CW:CUW CX:CXR CY:CYP CZ:CZE DE:D DJ:DJI DK:DNK DM:DMA DO:DOM DZ:DZA EC:ECU EE:EST
EG:EGY EH:ESH ER:ERI ES:ESP ET:ETH FI:FIN FJ:FJI FK:FLK FM:FSM FO:FRO FR:FRA GA:GAB GB:GBR GD:GRD GE:GEO GF:GUF
GG:GGY GH:GHA GI:GIB GL:GRL GM:GMB GN:GIN GP:GLP GQ:GNQ GR:GRC GS:SGS GT:GTM GU:GUM GW:GNB GY:GUY HK:HKG HM:HMD
HN:HND HR:HRV HT:HTI HU:HUN ID:IDN IE:IRL IL:ISR IM:IMN IN:IND IO:IOT IQ:IRQ IR:IRN IS:ISL IT:ITA JE:JEY JM:JAM
JO:JOR JP:JPN KE:KEN KG:KGZ KH:KHM KI:KIR KM:COM KN:KNA KP:PRK KR:KOR KW:KWT KY:CYM KZ:KAZ LA:LAO LB:LBN LC:LCA
LI:LIE LK:LKA LR:LBR LS:LSO LT:LTU LU:LUX LV:LVA LY:LBY MA:MAR MC:MCO MD:MDA ME:MNE MF:MAF MG:MDG MH:MHL MK:MKD
ML:MLI MM:MMR MN:MNG MO:MAC MP:MNP MQ:MTQ MR:MRT MS:MSR MT:MLT MU:MUS MV:MDV MW:MWI MX:MEX MY:MYS MZ:MOZ NA:NAM
NC:NCL NE:NER NF:NFK NG:NGA NI:NIC NL:NLD NO:NOR NP:NPL NR:NRU NU:NIU NZ:NZL OM:OMN PA:PAN PE:PER PF:PYF PG:PNG
PH:PHL PK:PAK PL:POL PM:SPM PN:PCN PR:PRI PS:PSE PT:PRT PW:PLW PY:PRY QA:QAT RE:REU RO:ROU RS:SRB RU:RUS RW:RWA
SA:SAU SB:SLB SC:SYC SD:SDN SE:SWE SG:SGP SH:SHN SI:SVN SJ:SJM SK:SVK SL:SLE SM:SMR SN:SEN SO:SOM SR:SUR SS:SSD
ST:STP SV:SLV SX:SXM SY:SYR SZ:SWZ TC:TCA TD:TCD TF:ATF TG:TGO TH:THA TJ:TJK TK:TKL TL:TLS TM:TKM TN:TUN TO:TON
TR:TUR TT:TTO TV:TUV TW:TWN TZ:TZA UA:UKR UG:UGA UM:UMI US:USA UY:URY UZ:UZB VA:VAT VC:VCT VE:VEN VG:VGB VI:VIR
VN:VNM VU:VUT WF:WLF WS:WSM YE:YEM YT:MYT ZA:ZAF ZM:ZMB ZW:ZWE
    """.split()  # noqa: SIM905  (a table, not a list of 249 strings)
    )
)
_ALPHA2: Final = {code: alpha2 for alpha2, code in COUNTRIES.items()} | dict.fromkeys(
    ("GBD", "GBN", "GBO", "GBP", "GBS"), "GB"
)
# Codes of Doc 9303 part 3 that stand for no country: international bodies, stateless persons, refugees; and RKS,
# which Kosovo's passports carry. Utopia (UTO) is left out on purpose: only specimens come from there.
_NO_COUNTRY: Final = frozenset(
    ("EUE", "RKS", "UNA", "UNK", "UNO", "XBA", "XCC", "XCO", "XEC", "XIM", "XOM", "XPO", "XXA", "XXB", "XXC", "XXX")
)

_MRZ_VALUES: Final = {character: value for value, character in enumerate(digits + ascii_uppercase)} | {"<": 0}
_LINE_LENGTH: Final = 44
_NAME_LENGTH: Final = 39
_EXPIRY_YEARS: Final = range(-50, 50)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with what was handed in, and what would be right."""

    code: str
    pointer: str
    required: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class Passport:
    """What the machine readable zone of a passport says.

    States are the codes that passports carry (`country_of` turns them into ISO ones), `sex` is M, F or X.
    The numbers stay out of the repr, and so out of logs.
    """

    issuing_state: str
    surname: str
    given_names: str
    number: str = field(repr=False)
    nationality: str
    birth_on: date
    sex: str
    expires_on: date
    personal_number: str = field(default="", repr=False)
    document_type: str = "P"

    @property
    def name(self) -> str:
        """The name as people read it: SURNAME, GIVEN NAMES."""
        return f"{self.surname}, {self.given_names}" if self.given_names else self.surname


def country_of(passport_code: str) -> str | None:
    """Return the ISO alpha-2 code of the country a passport code stands for, or None if it stands for none."""
    return _ALPHA2.get(passport_code)


def check_digit(text: str) -> str:
    """Return the check digit of Doc 9303 part 3, section 4.9: weights 7, 3, 1 from the left, modulo 10.

    Raises ValueError on a character outside A-Z, 0-9 and <.
    """
    if set(text) - _MRZ_VALUES.keys():
        msg = "a machine readable zone holds only A-Z, 0-9 and <"
        raise ValueError(msg)
    return str(sum(_MRZ_VALUES[character] * weight for character, weight in zip(text, cycle((7, 3, 1)))) % 10)


def read_mrz(line1: str, line2: str, *, as_of: date) -> Passport | tuple[Problem, ...]:
    """Read the two lines of a passport (TD3, Doc 9303 part 4), or say everything that is wrong with them.

    Years have two digits: a birth is the latest one not after `as_of`, an expiry falls from 50 years before its
    year to 49 after it. An expired passport reads well; whether it may still be used is another rule. Names longer
    than the line come back as they were cut. No problem repeats a character of a line: two lines in the wrong order
    would put the passport number anywhere.
    """
    problems = [*_line_problems("/line1", line1), *_line_problems("/line2", line2)]
    broken = {problem.pointer for problem in problems}  # a field cannot be found in a line that is broken
    if "/line1" not in broken:
        problems += _line1_problems(line1)
    if "/line2" not in broken:
        problems += _line2_problems(line2, as_of)
    birth_on, expires_on = _birth_on(line2[13:19], as_of), _expires_on(line2[21:27], as_of)
    if problems or birth_on is None or expires_on is None:
        return tuple(problems)

    surname, _, given_names = line1[5:].rstrip("<").partition("<<")
    return Passport(
        document_type=line1[:2].rstrip("<"),
        issuing_state=line1[2:5].rstrip("<"),
        surname=_spaced(surname),
        given_names=_spaced(given_names),
        number=line2[:9].rstrip("<"),
        nationality=line2[10:13].rstrip("<"),
        birth_on=birth_on,
        sex=line2[20].replace("<", "X"),
        expires_on=expires_on,
        personal_number=line2[28:42].rstrip("<"),
    )


def write_mrz(passport: Passport) -> tuple[str, str]:
    """Write the two lines of a passport; a name that is too long is cut, the given names first.

    Raises ValueError, naming the field, where a value cannot be written. Spaces and hyphens become fillers and
    apostrophes go (Doc 9303 part 3, section 4.6); letters beyond A-Z must have been transliterated before.
    """
    for name, pattern, value in (
        ("document_type", r"P[A-Z]?", passport.document_type),
        ("issuing_state", r"D|[A-Z]{3}", passport.issuing_state),
        ("number", r"[A-Z0-9][A-Z0-9<]{0,8}", passport.number),
        ("nationality", r"D|[A-Z]{3}", passport.nationality),
        ("sex", r"[MFX]", passport.sex),
        ("personal_number", r"[A-Z0-9<]{0,14}", passport.personal_number),
    ):
        if not re.fullmatch(pattern, value):
            msg = f"{name} cannot be written in a machine readable zone"
            raise ValueError(msg)

    line1 = f"{passport.document_type:<<2}{passport.issuing_state:<<3}{_name_field(passport):<<39}"
    number, birth, expiry, personal_number = (
        text + check_digit(text)
        for text in (
            f"{passport.number:<<9}",
            f"{passport.birth_on:%y%m%d}",
            f"{passport.expires_on:%y%m%d}",
            f"{passport.personal_number:<<14}",
        )
    )
    sex = passport.sex.replace("X", "<")
    line2 = f"{number}{passport.nationality:<<3}{birth}{sex}{expiry}{personal_number}"
    return line1, line2 + check_digit(number + birth + expiry + personal_number)


def _line_problems(pointer: str, line: str) -> list[Problem]:
    problems = []
    if len(line) != _LINE_LENGTH:
        problems.append(Problem("line_length_wrong", pointer, str(_LINE_LENGTH), str(len(line))))
    if set(line) - _MRZ_VALUES.keys():
        problems.append(Problem("character_not_allowed", pointer, "A-Z 0-9 <"))
    return problems


def _line1_problems(line: str) -> list[Problem]:
    problems = []
    if not re.fullmatch(r"P[A-Z<]", line[:2]):
        problems.append(Problem("document_type_not_passport", "/line1", "P"))
    if not _is_known(line[2:5]):
        problems.append(Problem("issuing_state_unknown", "/line1"))
    if not re.fullmatch(r"[A-Z][A-Z<]*", line[5:]):
        problems.append(Problem("name_not_readable", "/line1", "SURNAME<<GIVEN<NAMES"))
    return problems


def _line2_problems(line: str, as_of: date) -> list[Problem]:
    problems = []
    if line.startswith("<"):
        problems.append(Problem("number_missing", "/line2"))
    if not _is_known(line[10:13]):
        problems.append(Problem("nationality_unknown", "/line2"))
    if line[20] not in "MF<":
        problems.append(Problem("sex_unknown", "/line2", "M F <"))

    birth_on, expires_on = _birth_on(line[13:19], as_of), _expires_on(line[21:27], as_of)
    if birth_on is None:  # Doc 9303 lets a state fill what it does not know of a birth date
        unknown = "birth_on_incomplete" if re.fullmatch(r"[0-9<]*<[0-9<]*", line[13:19]) else "birth_on_not_a_date"
        problems.append(Problem(unknown, "/line2", "YYMMDD"))
    if expires_on is None:
        problems.append(Problem("expires_on_not_a_date", "/line2", "YYMMDD"))
    if birth_on and expires_on and expires_on <= birth_on:
        problems.append(Problem("expires_on_before_birth_on", "/line2"))

    no_personal_number = line[28:42] == "<" * 14
    for code, positions, text, found in (
        ("number_check_digit_wrong", "1-9", line[:9], line[9]),
        ("birth_on_check_digit_wrong", "14-19", line[13:19], line[19]),
        ("expires_on_check_digit_wrong", "22-27", line[21:27], line[27]),
        ("personal_number_check_digit_wrong", "29-42", line[28:42], line[42].replace("<", "0" * no_personal_number)),
        ("composite_check_digit_wrong", "1-10 14-20 22-43", line[:10] + line[13:20] + line[21:43], line[43]),
    ):
        if found != check_digit(text):
            problems.append(Problem(code, "/line2", positions))
    return problems


def _is_known(padded_code: str) -> bool:
    code = padded_code.rstrip("<")
    return code in _ALPHA2 or code in _NO_COUNTRY


def _birth_on(yymmdd: str, as_of: date) -> date | None:
    return max((day for day in _dates(yymmdd, as_of) if day <= as_of), default=None)


def _expires_on(yymmdd: str, as_of: date) -> date | None:
    return next((day for day in _dates(yymmdd, as_of) if day.year - as_of.year in _EXPIRY_YEARS), None)


def _dates(yymmdd: str, as_of: date) -> list[date]:
    """Return the dates that two digits of a year can mean, in the century of `as_of`, before and after it."""
    if not re.fullmatch(r"[0-9]{6}", yymmdd):
        return []
    year, month, day = (int(yymmdd[i : i + 2]) for i in (0, 2, 4))
    this_century = as_of.year - as_of.year % 100
    years = [century + year for century in (this_century - 100, this_century, this_century + 100)]
    return [date(y, month, day) for y in years if month in range(1, 13) and 1 <= day <= monthrange(y, month)[1]]


def _name_field(passport: Passport) -> str:
    surname, given_names = (
        re.sub(r"[ -]+", "<", name.replace("'", "").strip()) for name in (passport.surname, passport.given_names)
    )
    if not re.fullmatch(r"[A-Z]+(<[A-Z]+)*", surname) or not re.fullmatch(r"([A-Z]+(<[A-Z]+)*)?", given_names):
        msg = "name cannot be written in a machine readable zone"
        raise ValueError(msg)
    if not given_names:
        return surname[:_NAME_LENGTH].rstrip("<")
    surname = surname[: _NAME_LENGTH - len("<<X")].rstrip("<")  # at least one letter of the given names stays
    return f"{surname}<<{given_names}"[:_NAME_LENGTH].rstrip("<")


def _spaced(name: str) -> str:
    return " ".join(name.replace("<", " ").split())


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency (ISO 4217)."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Raise ValueError on an amount that is no number or a currency that is no three capital letters."""
        if not self.amount.is_finite():
            msg = "an amount of money must be a number"
            raise ValueError(msg)
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            msg = "a currency is three capital letters"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from one date until another, both of them included."""

    from_on: date
    until_on: date

    def __post_init__(self) -> None:
        """Raise ValueError when the period would end before it begins."""
        if self.until_on < self.from_on:
            msg = "a period must not end before it begins"
            raise ValueError(msg)

    def contains(self, day: date) -> bool:
        """Whether the day is one of its days."""
        return self.from_on <= day <= self.until_on

    def overlaps(self, other: "Period") -> bool:
        """Whether the two share a day."""
        return self.from_on <= other.until_on and other.from_on <= self.until_on

    def covers(self, other: "Period") -> bool:
        """Whether every day of the other is one of its days."""
        return self.from_on <= other.from_on and other.until_on <= self.until_on


def age_on(birth_on: date, day: date) -> int:
    """Return the full years of life on a day; who was born on 29 February turns a year older on 1 March.

    In years without that day, 1 March is the cautious reading: nobody counts as of age a day early.
    Raises ValueError for a day before the birth.
    """
    if day < birth_on:
        msg = "there is no age before birth"
        raise ValueError(msg)
    return day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))


def add_months(day: date, months: int) -> date:
    """Return the same day of the month so many months later (or earlier); where it has none, its last day."""
    year, month_index = divmod(day.year * 12 + day.month - 1 + months, 12)
    month = month_index + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
