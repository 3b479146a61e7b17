"""Placements: from the contract through the stages of their packs to the work, and home again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from service.actions import costs, placements
from service.actions.work import Wanted
from service.domain.actors import ENTERPRISE, TRAINEE
from service.domain.requirements import LINE
from service.sample.cast import Trainee
from service.sample.desk import Desk
from service.sample.needs import Paper, Request, hand_in, papers_of
from service.sample.placing import is_accepted
from service.sample.year import Wave, Year

ACTION = {
    "documents": "collect_documents",
    "authorisation": "apply_authorisation",
    "visa": "apply_visa",
    "pre_departure": "prepare_departure",
    "ready": "clear",
    "departed": "depart",
    "arrived": "arrive",
    "active": "start_work",
}
"""What leads to each stage."""
REACHES = {"visa_refused": "visa"}
SKILLS = "设备操作与安全，日常会话达到 N3。Running the line safely, everyday language at N3."
COMPLETED = ("completed", "returning", "returned", "reintegrating", "closed")
"""Whose contract of a season has ended."""
HOME_AGAIN = ("returning", "returned", "reintegrating", "closed")


def day_of(wave: Wave, stage: str, way: str) -> date:
    """When a wave comes to a stage."""
    days = {
        "documents": wave.documents_on,
        "authorisation": wave.authorisation_on,
        "visa": wave.authorised_on,
        "pre_departure": wave.visa_on,
        "ready": wave.cleared_on,
        "departed": wave.departs_on,
        "arrived": wave.arrives_on,
        "active": wave.begins_on(way),
    }
    return days[stage]


def reaches(t: Trainee, stage: str) -> bool:
    """Whether a placement gets at least so far along the main line."""
    last = REACHES.get(t.path.how, t.path.how)
    return LINE.index(last if last in LINE else "active") >= LINE.index(stage)


async def lead(desk: Desk, wave: Wave, requests: Sequence[Request]) -> None:
    """Every accepted person of a wave, stage by stage, each with the papers that its packs ask for."""
    placed = [(r, t) for r in requests for t in r.people if is_accepted(t)]
    if not placed:
        return
    ids = [t.placement for _, t in placed]
    day = wave.accepted_on + timedelta(days=3)
    await desk.act(day, placements.SUBJECT, "confirm_terms", ids, **desk.recorded_for(TRAINEE))
    way = requests[0].way
    for stage in LINE[1:]:
        going = [(r, t) for r, t in placed if stage in r.packs().stages and reaches(t, stage)]
        if going:
            await _advance(desk, wave, stage, going, way)
        if stage == "visa":
            await _act(
                desk,
                wave.authorised_on + timedelta(days=9),
                "cancel",
                _at(_people(placed), "visa_refused"),
                reason_code="visa_refused",
            )
    desk.telling.made("placements", len(placed))


def _people(placed: Iterable[tuple[Request, Trainee]]) -> list[Trainee]:
    return [t for _, t in placed]


async def _advance(desk: Desk, wave: Wave, stage: str, going: Sequence[tuple[Request, Trainee]], way: str) -> None:
    day = day_of(wave, stage, way)
    papers: list[Paper] = [paper for r, t in going for paper in papers_of(r, stage, t, day)]
    await hand_in(desk, day, papers)
    given: dict[str, Any] = {}
    if stage == "documents" and way != "home":
        given = {"agency_contract": "service"}
    elif stage == "ready":
        given = {"arrives_on": wave.arrives_on}
    elif stage == "departed":
        given = {"flight": f"SJ{day:%m%d}"}
    elif stage == "arrived":
        given = {"evidence": (desk.papers["arrivals"],)}
    elif stage == "active":
        given = desk.recorded_for(ENTERPRISE)
    await desk.act(day, placements.SUBJECT, ACTION[stage], [t.placement for _, t in going], **given)
    if stage == "departed":
        await _costs(desk, day, [t for _, t in going])


def _paid(kind: str, amount: str, payer: str) -> dict[str, Any]:
    return {"type": kind, "amount": Decimal(amount), "currency": "CNY", "payer": payer, "receiver": "other"}


async def _costs(desk: Desk, day: date, people: Sequence[Trainee]) -> None:
    """What the way abroad has cost: the enterprise pays the ticket, the test was paid by the trainee."""
    wanted = [Wanted(t.id, given=_paid("travel", "3200.00", "enterprise")) for t in people]
    wanted += [Wanted(t.id, given=_paid("test", "550.00", "trainee")) for t in people[::3]]
    await desk.act(day, costs.SUBJECT, "record", wanted)


# ---- at work and after it
def _at(people: Iterable[Trainee], *hows: str, wave: str = "") -> list[Trainee]:
    return [t for t in people if t.path.how in hows and (not wave or t.path.wave == wave)]


async def end(desk: Desk, year: Year, people: Sequence[Trainee]) -> None:
    """What became of whoever was at work: contracts that ended, returns, and what nobody wished for."""
    at_work = [t for t in people if t.path.wave and t.path.stage in AFTER]
    d, season, german = year.day, _at(at_work, *COMPLETED, wave="season"), _at(at_work, "returned", wave="first")
    await desk.clock.until(d("2026-08-19"))
    await _troubles(desk, year, at_work)
    await _act(desk, d("2026-10-29"), "complete", season)
    coming = _at(season, *HOME_AGAIN) + german
    ticket: dict[str, Any] = {"returns_on": d("2026-11-02"), "evidence": (desk.papers["returns"],)}
    await _act(desk, d("2026-10-30"), "start_return", coming, **ticket)
    await _act(desk, d("2026-11-02"), "close", [t for t in _at(at_work, "closed") if t.path.way == "home"])
    back = [t for t in coming if t.path.how != "returning"]
    settled: dict[str, Any] = {"wages": "settled", "insurance": "settled", "pension": "not_due"}
    await _act(desk, d("2026-11-03"), "record_return", back, **settled)
    await _act(desk, d("2026-11-09"), "ask_extension", _at(at_work, "extension_pending"), until_on=d("2030-06-28"))
    asked = _at(season, "reintegrating", "closed")
    await _act(desk, d("2026-11-10"), "reintegrate", asked, skills_gained=SKILLS, wish="abroad_again")
    await _act(desk, d("2026-11-17"), "close", _at(season, "closed"))


AFTER = ("abroad", "employed", "returned", "alumni", "deceased")


async def _act(desk: Desk, day: date, action: str, people: Iterable[Trainee], **given: Any) -> None:
    await desk.act(day, placements.SUBJECT, action, [t.placement for t in people], **given)


async def _troubles(desk: Desk, year: Year, people: Sequence[Trainee]) -> None:
    d = year.day
    died: dict[str, Any] = {"family_informed_on": d("2026-08-19"), "evidence": (desk.papers["decisions"],)}
    await _act(desk, d("2026-08-19"), "record_death", _at(people, "deceased"), **died)
    early = _at(people, "early_return") + _at(people, "returned", wave="first")
    await _act(desk, d("2026-09-14"), "return_early", early, reason_code="family", paid_by="enterprise")
    missing: dict[str, Any] = {"last_contact_on": d("2026-09-20")}
    await _act(desk, d("2026-09-28"), "report_missing", _at(people, "absconded"), **missing)
    ended: dict[str, Any] = {"reason_code": "redundancy", "paid_by": "enterprise"}
    await _act(desk, d("2026-10-05"), "terminate", _at(people, "terminated_abroad"), **ended)
    await _act(desk, d("2026-10-12"), "ask_transfer", _at(people, "transfer_pending"), reason_code="contract_dispute")
    home = [t for t in _at(people, "closed") if t.path.way == "home"]
    await _act(desk, d("2026-10-15"), "terminate", home, reason_code="personal", paid_by="enterprise")
