"""`sojourn audit`: verifies the record, and notes checkpoints to keep outside."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from service.cli.words import fail, plainly, say, settings_read
from service.launch import check_migrated, standing
from service.storage.auditing import Finding, Mark, Tally, checkpoint, verify

audit = typer.Typer(help="Verify that the record is as it was written.", no_args_is_help=True)
_MARK = TypeAdapter(Mark)
SAID: Final = {
    "entry_changed": "entry {seq} of stream {where} is not what was written, or what came before it",
    "entry_missing": "entry {seq} of stream {where} is gone, or others were put before it",
    "head_differs": "stream {where} ends at {seq}, which is not where its head says: its end was cut off or altered",
    "head_missing": "stream {where} has no head any more",
    "stream_missing": "stream {where} had {seq} entries, and none is left",
    "feed_gap": "the feed lacks number {seq}",
    "not_in_feed": "entry {seq} of stream {where} is in no feed",
    "feed_dangling": "the feed names entry {seq} of stream {where}, which is not there",
    "state_differs": "{about} {where} is not in the state that entry {seq} of its stream left it in",
    "mark_differs": "the feed up to {seq} is not what the checkpoint noted; what differs came after the mark before",
    "feed_short": "the feed ends at {seq}, before what a checkpoint noted",
}


@audit.command("verify")
def verified(
    checkpoints: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A file of checkpoints that was kept outside."),
    ] = None,
) -> None:
    """Read the whole record and name what is not as it was written; ends with 1 where there is anything."""
    settings = settings_read()
    with plainly(), standing(settings, keyless=True) as found:
        check_migrated(found.dsn)
        tally, wrong = asyncio.run(_all(found.dsn, _read(checkpoints) if checkpoints else []))
        marks = f" and {tally.marks} checkpoints" if checkpoints else ""
        say(f"Read {tally.entries} entries in {tally.streams} streams of {tally.institutions} institutions{marks}.")
        if wrong:
            fail(f"Not as it was written: {wrong}.", "Keep this database as it is, and compare it with a backup.")
        say("All of it is as it was written.")


async def _all(dsn: str, marks: list[Mark]) -> tuple[Tally, int]:
    tally, wrong = Tally(), 0
    async for finding in verify(dsn, marks, tally):
        wrong += 1
        say(_told(finding))
    return tally, wrong


def _told(finding: Finding) -> str:
    said = SAID[finding.code].format(about=finding.about, where=finding.where, seq=finding.seq)
    return f"{finding.institution_id}  {finding.code}: {said}"


@audit.command("checkpoint")
def checkpointed(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to note it; what stands there is carried on.")],
) -> None:
    """Note how far each institution's feed has come, with a digest of it; keep the file where no one can alter it."""
    settings = settings_read()
    with plainly(), standing(settings, keyless=True) as found:
        check_migrated(found.dsn)
        made = asyncio.run(_noted(found.dsn, file, _read(file) if file.exists() else []))
        say(f"Noted {made} checkpoints in {file}." if made else "Nothing came since the last checkpoint.")


async def _noted(dsn: str, file: Path, before: list[Mark]) -> int:
    made = 0
    with file.open("ab") as out:
        async for mark in checkpoint(dsn, before):
            out.write(_MARK.dump_json(mark) + b"\n")
            made += 1
    return made


def _read(file: Path) -> list[Mark]:
    marks: list[Mark] = []
    for n, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            marks.append(_MARK.validate_json(line))
        except ValidationError:
            fail(f"Line {n} of {file} is no checkpoint.", "Give the file that `sojourn audit checkpoint` wrote.")
    return marks
