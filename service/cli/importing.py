"""Sheets from the command line: what an import would do, row by row, and then the import."""

# ruff: noqa: FBT002 - a switch of the command line is a boolean with a default

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer

from service.actions.imports.cells import inert
from service.actions.imports.people import Summary, import_trainees
from service.actions.imports.rows import Entry, Finding, Outcome, Unreadable
from service.actions.work import Services
from service.api.messages import words
from service.cli.words import fail, out, progress_bar, say, with_services
from service.domain.actors import COORDINATOR, SYSTEM_ACCOUNT, Actor
from service.domain.values import COUNTRIES
from service.launch import Trouble
from service.storage.accounts import institutions_known

imports = typer.Typer(help="Take in the sheets that a coordinator has.", no_args_is_help=True)
REPORT: Final = ("line", "outcome", "trainee", "student_no", "name", "column", "code", "text")
WHO: Final = Actor(SYSTEM_ACCOUNT, frozenset({COORDINATOR}))
"""Whoever holds the machine itself, acting as a coordinator would."""


class Language(StrEnum):
    """The languages in which faults are told."""

    EN = "en"
    ZH = "zh"


@imports.callback()
def kinds() -> None:
    """Take in the sheets that a coordinator has."""  # with a callback, a single command keeps its name


@imports.command("trainees")
def trainees(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The sheet: .xlsx, or CSV in UTF-8 or GB 18030.")
    ],
    institution: Annotated[
        str | None, typer.Option(help="The institution, by its name or id; needed where there are several.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what each row would do, and do nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write what became of each row to a CSV file.")
    ] = None,
    allow_unkeyed: Annotated[
        bool,
        typer.Option(
            "--allow-unkeyed",
            help="Also register rows with neither a student number nor a passport: a second run registers them twice.",
        ),
    ] = False,
    phone_country: Annotated[
        str | None, typer.Option(help="Whose phone numbers have no country code, such as TH; else the institution's.")
    ] = None,
    language: Annotated[Language, typer.Option(help="The language in which faults are told.")] = Language.EN,
) -> None:
    """Register the trainees of a sheet who are not on record yet. Ends with 1 where a row is faulty."""
    if phone_country is not None and phone_country not in COUNTRIES:
        fail(f"{phone_country} is not a country's code.", "Two letters of ISO 3166-1, such as TH.")
    if report is not None and report.exists() and report.samefile(file):
        fail("The report would overwrite the sheet.", "Name another file by --report.")

    async def do(services: Services) -> Summary:
        home = await _home(services, institution)
        with progress_bar() as bar, _told(report, language, dry_run=dry_run) as tell:
            return await import_trainees(
                services,
                home,
                file,
                WHO,
                dry_run=dry_run,
                tell=tell,
                allow_unkeyed=allow_unkeyed,
                phone_country=phone_country,
                progress=lambda done, total: bar("rows", done, total),
            )

    try:
        summary = with_services(do)
    except Unreadable as no:
        fail(words(no.code, language, required=no.required, actual=no.actual), "Nobody was registered.")
    _tell_summary(summary, report, language)
    if summary.outcomes.get(Outcome.FAULTY):
        raise typer.Exit(1)


async def _home(services: Services, named: str | None) -> UUID:
    """The institution of that id or name, or the only one.

    Raises:
        Trouble: none, or several.
    """
    known = await institutions_known(services.database)
    fitting = [i for i, name in known if named is None or named.strip().casefold() in (str(i), name.casefold())]
    if len(fitting) == 1:
        return fitting[0]
    what = "There is no such institution." if not fitting else "Several institutions are meant."
    raise Trouble(what, "Name one by --institution, by its id: see `sojourn institution list`.")


# What became of each row -------------------------------------------------------------------------------------------


def rows_of(entry: Entry, language: str) -> Iterator[tuple[str, ...]]:
    """The lines of the report on a row: one for each thing that is to be said of it."""
    about = (
        str(entry.line),
        entry.outcome.value,
        str(entry.person or ""),
        entry.student_no,
        str(entry.given.get("name_native", "")),
    )
    for finding in entry.findings:
        yield (*about, finding.column, finding.reason.code, _words(finding, language))
    if not entry.findings:
        yield (*about, "", "", "")


def _words(finding: Finding, language: str) -> str:
    return words(finding.reason.code, language, required=finding.reason.required, actual=finding.reason.actual)


@contextmanager
def _told(report: Path | None, language: str, *, dry_run: bool) -> Iterator[Callable[[Entry], None]]:
    """Rows are told as they are settled: to the report if there is one, else those that matter to whoever watches."""
    if report is None:

        def tell(entry: Entry) -> None:
            if dry_run or entry.outcome is Outcome.FAULTY:
                for line in _lines(entry, language):
                    say(line)

        yield tell
        return
    try:
        opened = report.open("w", encoding="utf-8-sig", newline="")  # with the mark that spreadsheets look for
    except OSError as error:
        raise Trouble(f"The report cannot be written: {error.strerror}.", "Name another file by --report.") from error
    with opened as file:
        writer = csv.writer(file)
        writer.writerow(REPORT)

        def write(entry: Entry) -> None:
            writer.writerows([inert(cell) for cell in row] for row in rows_of(entry, language))

        yield write


def _lines(entry: Entry, language: str) -> Iterator[str]:
    outcome = words(f"import.{entry.outcome}", language)
    for finding in entry.findings:
        yield f"{entry.line}: {outcome}: {finding.column}: {_words(finding, language)} ({finding.reason.code})"
    if not entry.findings:
        yield f"{entry.line}: {outcome}"


def _tell_summary(summary: Summary, report: Path | None, language: str) -> None:
    if summary.ignored:
        say(f"Columns that are not taken in: {', '.join(summary.ignored)}.")
    counts = [f"{words(f'import.{o}', language)} {n}" for o in Outcome if (n := summary.outcomes.get(o))]
    out.print(f"{summary.kind}: {', '.join(counts) or 'no rows'}.", markup=False)
    if report is not None:
        say(f"What became of each row stands in {report}.")
