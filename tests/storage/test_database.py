"""What an error of the database means: read again, try again soon, refused, or input that cannot be kept."""

from __future__ import annotations

import pytest

from service.actions.work import Services
from service.storage.database import BadInput, Conflict, Unavailable, attempt

RAISE = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '%s'; END $$"


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_what_was_in_each_others_way_is_done_again(services: Services, state: str) -> None:
    tries: list[int] = []

    async def work(n: int) -> str:
        tries.append(n)
        async with services.database.connection() as con:
            if n < 2:
                await con.execute(RAISE % state)
            return "done"

    assert await attempt(work) == "done"
    assert tries == [0, 1, 2]


@pytest.mark.parametrize(("statement", "means"), [
    (RAISE % "40001", Unavailable),  # again and again
    ("BEGIN; SET LOCAL statement_timeout = 20; SELECT pg_sleep(2)", Unavailable),
    (RAISE % "55P03", Unavailable),
    (RAISE % "53300", Unavailable),
    (RAISE % "57P01", Unavailable),
    (RAISE % "23514", Conflict),
    (RAISE % "22021", BadInput),
    ("SELECT 'x'::date", BadInput),
])  # fmt: skip
async def test_error_of_the_database_is_told_by_its_meaning(
    services: Services, statement: str, means: type[Exception]
) -> None:
    async def work(_: int) -> None:
        async with services.database.connection() as con:
            await con.execute(statement)

    with pytest.raises(means):
        await attempt(work)


async def test_text_that_cannot_be_kept_is_input(services: Services) -> None:
    async def work(_: int) -> object:
        async with services.database.connection() as con:
            return await con.fetchval("SELECT $1::text", "a\0b")

    with pytest.raises(BadInput):
        await attempt(work)
