"""The page of docs/ that tells a journey: its requests and answers are those of the test, and no others.

Above each block stands what it shows: `<!-- told: NAME keep=a,b each=c,d last=3 -->`. Of the answer `keep` names the
fields, `each` the fields of the rows of its lists, `last` or `first` how many rows. The block itself is written by
`SOJOURN_WRITE_DOCS=1 pytest tests/journeys/test_japan.py`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.conftest import TODAY
from tests.journeys.story import Exchange, Story

PAGE = Path(__file__).parents[2] / "docs" / "journey.md"
TODAY_THERE = date(2026, 11, 22)
"""The day that is today on the page."""
WIDE = 110
BLOCK = re.compile(r"<!-- told: (\S+)(.*?) -->\n```http\n.*?```\n", re.DOTALL)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
SECRET = ("access_token", "invitation", "secret", "password", "passport_mrz")
NEAR = timedelta(days=5 * 365)
"""How far from today a day of the journey can be; a date of birth is further."""


def check(story: Story) -> None:
    """Compare the page with what was said, or write it anew where that was asked for."""
    page = PAGE.read_text(encoding="utf-8")
    names = [m[1] for m in BLOCK.finditer(page)]
    assert names == [n for n in story.told if n in names], "the page tells it in another order"
    known = {
        story.person: "{trainee}", story.enrolment.rsplit("/", 1)[1]: "{enrolment}", story.course: "{course}",
        story.request.rsplit("/", 1)[1]: "{request}", story.candidacy.rsplit("/", 1)[1]: "{candidacy}",
        story.placement.rsplit("/", 1)[1]: "{placement}",
    }  # fmt: skip
    retold = BLOCK.sub(lambda m: _block(m[1], m[2], story.told[m[1]], known), page)
    if os.environ.get("SOJOURN_WRITE_DOCS"):
        PAGE.write_text(retold, encoding="utf-8")
    else:
        assert page == retold, "docs/journey.md is stale: SOJOURN_WRITE_DOCS=1 pytest tests/journeys/test_japan.py"


def _block(name: str, options: str, said: Exchange, known: Mapping[str, str]) -> str:
    wanted = dict(o.split("=", 1) for o in options.split())
    lines = [f"{said.method} {said.path}"]
    lines += [_laid(_shown(said.body))] if said.body else []
    lines += ["", str(said.status)]
    lines += [_laid(_shown(answer))] if (answer := _picked(said.answer, wanted)) else []
    text = _lasting("\n".join(lines), known)
    return f"<!-- told: {name}{options} -->\n```http\n{text}\n```\n"


def _picked(answer: Any, wanted: Mapping[str, str]) -> dict[str, Any]:
    keep = wanted.get("keep", "reasons" if "reasons" in answer else "state").split(",")
    each = wanted.get("each", "code,text").split(",")
    found = {k: answer[k] for k in keep if k in answer}
    for name, rows in found.items():
        if isinstance(rows, list):
            chosen = rows[-int(wanted["last"]) :] if "last" in wanted else rows[: int(wanted.get("first", len(rows)))]
            found[name] = [{k: row[k] for k in each if k in row} if isinstance(row, dict) else row for row in chosen]
    return found


def _laid(value: Any, indent: str = "") -> str:
    """On one line where it fits, else a line a field, and a line a row of a list."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= WIDE or not isinstance(value, dict | list):
        return line
    inner = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"{inner}{json.dumps(row, ensure_ascii=False)}" for row in value) + f"\n{indent}]"
    fields = [f"{inner}{json.dumps(k)}: {_laid(v, inner)}" for k, v in value.items()]
    return "{\n" + ",\n".join(fields) + f"\n{indent}}}"


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    """Without what is secret."""
    return {k: "..." if k in SECRET else v for k, v in value.items()}


def _lasting(text: str, known: Mapping[str, str]) -> str:
    """Without what is another each time: ids have names, and days are counted from the page's own."""

    def there(found: re.Match[str]) -> str:
        said = date.fromisoformat(found[0])
        return (said + (TODAY_THERE - TODAY)).isoformat() if abs(said - TODAY) < NEAR else found[0]

    return DAY.sub(there, UUID.sub(lambda found: known.get(found[0], "..."), text))
