"""Sheets for whatever is tested on imports, and a worker that carries them on."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import xlsxwriter

from service.actions.imports.carrying import carry_on
from tests.conftest import Client, World

HEADERS = ["学号", "姓名", "拼音姓名", "性别", "出生日期", "国籍", "邮箱"]


def student(n: int, **more: str) -> list[str]:
    """A row under HEADERS."""
    row = dict(zip(HEADERS, [f"2026{n:06}", "王伟", "WANG, WEI", "男", "2005-03-09", "CN", ""], strict=True))
    return list((row | more).values())


def csv_of(rows: Sequence[Sequence[Any]], encoding: str = "utf-8") -> bytes:
    """The rows as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_of(rows: Sequence[Sequence[Any]]) -> bytes:
    """The rows as a workbook."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        page = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                page.write_string(number, place, cell) if isinstance(cell, str) else page.write(number, place, cell)
    return out.getvalue()


async def upload(c: Client, content: bytes, *, key: str | None = None, status: int = 201, **said: Any) -> Any:
    """The answer to an upload."""
    answer = await c.http.post(
        "/v1/imports",
        data={"kind": "trainees"} | said,
        files={"file": ("sheet", content, "application/octet-stream")},
        headers={"authorization": f"Bearer {c.token}", "idempotency-key": key or uuid4().hex},
    )
    assert answer.status_code == status, answer.text
    return answer.json()


async def work(world: World) -> None:
    """As the worker does, until nothing waits."""
    while await carry_on(world.services, world.institution):
        pass


class Importing:
    """One import over HTTP."""

    def __init__(self, world: World, client: Client, path: str) -> None:
        self.world, self.c, self.path = world, client, path

    @classmethod
    async def of(cls, world: World, client: Client, content: bytes, **said: Any) -> Importing:
        """Uploaded and checked."""
        made = cls(world, client, f"/v1/imports/{(await upload(client, content, **said))['id']}")
        await work(world)
        return made

    async def item(self) -> dict[str, Any]:
        """As it is now."""
        answer = await self.c.get(self.path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def counts(self) -> dict[str, Any]:
        """What is counted, without what is zero."""
        item = await self.item()
        names = ("staged", "creates", "updates", "unchanged", "faulty", "done", "undone")
        return {"state": item["state"]} | {n: item[n] for n in names if item[n]}

    async def apply(self) -> dict[str, Any]:
        """Applied to its end."""
        await self.c.done(self.path, "apply")
        await work(self.world)
        return await self.counts()

    async def void(self) -> dict[str, Any]:
        """Taken back to its end."""
        await self.c.done(self.path, "void")
        await work(self.world)
        return await self.counts()

    async def rows(self, **asked: Any) -> list[dict[str, Any]]:
        """What is said of the rows."""
        answer = await self.c.get(f"{self.path}/rows", **asked)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def faults(self) -> list[tuple[int, str, str]]:
        """Line, column and code of every fault."""
        return [
            (r["line"], f["column"], f["code"]) for r in await self.rows(limit=200) for f in r["findings"] if f["fault"]
        ]
