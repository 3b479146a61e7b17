"""What the moves of a course leave behind."""

from __future__ import annotations

from typing import Any

from service.actions.work import Item, Subject, Work
from service.domain.courses import COURSE, NewCourse
from service.domain.lifecycle import Given, Step
from service.storage import courses
from service.storage.tables import courses as tables


def publish(_work: Work, item: Item[NewCourse], _step: Step, given: Given) -> dict[str, Any]:
    """The course, in the edition that was named or the next one."""
    edition = given.get("edition") or max(item.dossier.editions, default=0) + 1
    said = {name: given.get(name) for name in ("owner_id", "code", "credits", "hours", "kind")} | {"edition": edition}
    return said | {
        "title_native": given["title_native"],
        "title_latin": given["title_latin"],
        "event_data": said,
    }


SUBJECT: Subject[Any] = Subject(
    "courses",
    COURSE,
    tables.courses,
    courses.FACTS,
    births={"publish": courses.NEW_FACTS},
    effects={"publish": publish},
)
