"""The command line: how the service is started, filled, looked after and examined."""

# ruff: noqa: FBT002 - a switch of the command line is a boolean with a default

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from service import worker as working
from service.cli import auditing, importing, people
from service.cli import doctor as examining
from service.cli.lifecycles import PAGE, listed, page
from service.cli.samples import load_sample, show
from service.cli.serving import complete
from service.cli.serving import serve as serve_until_told
from service.cli.words import fail, out, plainly, say, settings_read
from service.launch import check_migrated, look, standing, write_log
from service.launch import migrate as upgrade
from service.storage import migrating

app = typer.Typer(
    name="sojourn",
    help="Sojourn follows people from enrolment to a placement abroad, and home again. Begin with: sojourn serve",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(people.institutions, name="institution")
app.add_typer(people.accounts, name="account")
app.add_typer(people.keys, name="key")
app.add_typer(importing.imports, name="import")
app.add_typer(auditing.audit, name="audit")

Host = Annotated[
    str,
    typer.Option(envvar="SOJOURN_HOST", help="Who may connect: 127.0.0.1 is this machine alone, 0.0.0.0 everybody."),
]
Port = Annotated[int, typer.Option(min=1, max=65535, envvar="SOJOURN_PORT", help="The number of the port to serve on.")]


@app.command()
def serve(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many processes answer requests; 2 unless told otherwise.")
    ] = None,
    sample: Annotated[bool, typer.Option(help="Whether an empty database is filled with the sample world.")] = True,
    worker: Annotated[
        bool, typer.Option(help="Whether a worker runs beside: not needed where `sojourn worker` runs by itself.")
    ] = True,
) -> None:
    """Serve the API. Without DATABASE_URL it brings a database of its own, in the folder .sojourn."""
    settings = settings_read()
    with plainly():
        serve_until_told(settings, host, port, workers or settings.workers, sample=sample, worker=worker)


@app.command()
def worker(
    beside: Annotated[int | None, typer.Option(hidden=True, help="The process whose end is the worker's too.")] = None,
) -> None:
    """Number the events of the feed and let timers ring, until told to stop. Several at once are fine."""
    settings = settings_read()
    with plainly():
        write_log(settings)
        with standing(settings, patience=float("inf")) as found:
            asyncio.run(working.run(settings, found.dsn, found.keys, beside))


@app.command()
def migrate() -> None:
    """Bring the database to the version of this Sojourn. Doing it again does nothing."""
    settings = settings_read()
    with plainly(), standing(settings, make=True, patience=30) as found:
        before = look(found.dsn)
        if found.cluster is not None:
            complete(settings, found.cluster, sample=False)
        elif before is None:
            fail("The database does not exist.", "Create it (createdb), then migrate again.")
        else:
            upgrade(found.dsn)
        check_migrated(found.dsn)
        same = before is not None and before.version == migrating.latest()
        say(f"The database is at version {migrating.latest()}" + (" already." if same else "."))


@app.command()
def sample(
    beside: Annotated[int | None, typer.Option(hidden=True, help="The process for which it is loaded.")] = None,
) -> None:
    """Load the sample world (invented colleges, trainees, enterprises) into an empty database."""
    settings = settings_read()
    with plainly():
        world = load_sample(settings, beside)
        if beside is None:
            show(world, "http://localhost:8000")


@app.command()
def lifecycles(
    name: Annotated[str | None, typer.Argument(help="One lifecycle, such as placement; all, if left out.")] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As diagrams in Mermaid's language.")] = False,
    write: Annotated[
        Path | None, typer.Option(help=f"Write the page with tables and diagrams to a file, such as {PAGE}.")
    ] = None,
) -> None:
    """Print what may happen to what, from which state, and by whom."""
    with plainly():
        if write is not None:
            write.write_text(page(), encoding="utf-8")
            say(f"Wrote {write}.")
            return
        for part in listed(name, mermaid=mermaid):
            out.print(part, markup=False) if isinstance(part, str) else out.print(part)


@app.command()
def doctor(port: Port = 8000, host: Host = "127.0.0.1") -> None:
    """Look at everything that the service needs; say what is wrong and how to mend it."""
    settings = settings_read()
    with plainly():
        found = examining.examine(settings, host, port)
        for finding in found:
            say(finding.told())
        if any(finding.wrong for finding in found):
            raise typer.Exit(1)


def main() -> None:
    """The command `sojourn`."""
    app()
