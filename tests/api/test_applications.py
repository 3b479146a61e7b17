"""Applications over HTTP: from a draft to a place, the waiting list, or a reason why not."""

from __future__ import annotations

from tests.api.studying import Studies, day, person, plain, upload, consent
from tests.conftest import World


async def test_application_leads_to_a_place_and_an_enrolment(world: World) -> None:
    s = await Studies.begin(world)
    who = await person(s.c)
    path = await s.application(who)
    done = await s.c.done(path, "select")
    assert done["state"] == "selected"
    read = (await s.c.get(path)).json()
    assert (read["source"], read["enrolment_id"]) == ("*", done["created"]["enrolment"])
    enrolment = (await s.c.get(f"/v1/enrolments/{read['enrolment_id']}")).json()
    assert {k: enrolment[k] for k in ("state", "person_id", "holds_place", "stage", "abroad")} == {
        "state": "pending", "person_id": who, "holds_place": True, "stage": 1, "abroad": False,
    }  # fmt: skip
    assert await s.taken() == 1
    assert (await s.c.get(f"/v1/trainees/{who}")).json()["stage"] == "enrolled"
    events = (await s.c.get(s.intake + "/events")).json()["items"]
    assert events[-1]["type"] == "intake.place_taken"
    assert events[-1]["data"] == {"source": "*", "enrolment_id": read["enrolment_id"]}
