"""How the command line speaks: plain sentences, tables, progress, and what to do about trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.actions.work import Services
from service.domain.lifecycle import Refused
from service.launch import Trouble, check_migrated, end_on_sigterm, standing
from service.main import services_of
from service.settings import Settings
from service.storage.database import BadInput, Conflict, Unavailable

T = TypeVar("T")
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def say(line: str = "") -> None:
    """One line as it is: it can be copied."""
    out.print(line, markup=False)


def fail(what: str, mend: str) -> NoReturn:
    """Say what is wrong and how to mend it, and end with 1.

    Raises:
        typer.Exit: always.
    """
    err.print(what, markup=False, style="bold red" if err.is_terminal else None)
    err.print(mend, markup=False)
    raise typer.Exit(1)


def settings_read() -> Settings:
    """The settings of this process; a wrong one is told by its name, never by its value."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = ", ".join("_".join(str(part) for part in e["loc"]) for e in error.errors())
        fail(f"A setting cannot be read: {wrong}.", "See docs/running.md for what it may be.")


@contextmanager
def plainly() -> Iterator[None]:
    """Whatever ends the block is told in words; Ctrl-C and SIGTERM end it cleanly."""
    end_on_sigterm()
    try:
        yield
    except Trouble as trouble:
        fail(str(trouble), trouble.mend)
    except Refused as no:
        fail("Refused: " + "; ".join(sorted({r.code for r in no.reasons})) + ".", "Correct what was given.")
    except Conflict as no:
        fail(f"Refused by the rule {no.rule}.", "It is there already, or what it belongs to is not.")
    except BadInput:
        fail("The database cannot hold what was given.", "Correct what was given.")
    except Unavailable:
        fail("The database is away or overloaded.", "Try again; `sojourn doctor` says more.")
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def with_services(do: Callable[[Services], Coroutine[Any, Any, T]]) -> T:
    """Do something with the services over the database of the settings, ours or another's."""
    settings = settings_read()

    async def inside(dsn: str, keys: str) -> T:
        async with services_of(settings, dsn, keys)() as services:
            return await do(services)

    with plainly(), standing(settings) as found:
        check_migrated(found.dsn)
        return asyncio.run(inside(found.dsn, found.keys))
    raise AssertionError("plainly() lets nothing through")


def table(*columns: str) -> Table:
    """A plain table, as wide as it must be."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        made.add_column(name, overflow="fold")
    return made


@contextmanager
def progress_bar(console: Console = err) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each kind of thing that is made; outside a terminal, a line when each is done."""
    if not console.is_terminal:
        yield lambda what, done, total: console.print(f"  {what}: {done} of {total}") if done == total else None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell
