"""The hash chain of a stream: every kind of tampering names its first entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

from service.domain.events import GENESIS, Entry, canonical, fault, link, rolled

ONE = UUID("0192f0c1-7c52-7d7e-9f0e-5f3f6f2f9f10")


def entry(seq: int, **more: object) -> Entry:
    made = Entry(
        institution_id=ONE, stream_id=ONE, seq=seq, event_id=ONE, action_id=ONE, type="trip.left", action="leave", subject="trip",
        subject_id=ONE, from_state="planned", to_state="away", actor_id=ONE, actor_roles="coordinator", recorded_for=None,
        reason_code=None, occurred_on=date(2026, 11, 22), recorded_at=datetime(2026, 11, 22, 8, 0, tzinfo=UTC), corrects=None,
        evidence=(), note_sealed=None, data={"seats": 3},
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def chain(*entries: Entry) -> list[tuple[Entry, bytes]]:
    out, head = [], GENESIS
    for e in entries:
        head = link(head, e)
        out.append((e, head))
    return out


def first_bad(entries: list[tuple[Entry, bytes]]) -> tuple[int, str] | None:
    before = GENESIS
    for expected, (found, kept) in enumerate(entries, 1):
        if code := fault(before, expected, found, kept):
            return expected, code
        before = kept
    return None


def test_chain_of_untouched_entries_holds() -> None:
    assert first_bad(chain(entry(1), entry(2), entry(3))) is None


def test_chain_names_the_first_entry_that_was_changed_removed_inserted_or_moved() -> None:
    whole = chain(entry(1), entry(2), entry(3), entry(4))
    changed = replace(whole[1][0], to_state="home")
    assert first_bad([whole[0], (changed, whole[1][1]), *whole[2:]]) == (2, "entry_changed")
    assert first_bad([whole[0], (changed, link(whole[0][1], changed)), *whole[2:]]) == (3, "entry_changed")
    assert first_bad([whole[0], *whole[2:]]) == (2, "entry_missing")
    assert first_bad([whole[0], whole[1], whole[1], whole[2]]) == (3, "entry_missing")
    assert first_bad([whole[1], whole[0], *whole[2:]]) == (1, "entry_missing")
    assert first_bad([*whole[:3], (whole[3][0], b"\0" * 32)]) == (4, "entry_changed")


def test_digest_of_a_feed_depends_on_every_entry_and_on_their_order() -> None:
    one, two = (kept for _, kept in chain(entry(1), entry(2)))
    both = rolled(rolled(GENESIS, one), two)
    assert both != rolled(rolled(GENESIS, two), one) != rolled(GENESIS, two)


def test_canonical_form_has_sorted_keys_and_digests_of_sealed_bytes() -> None:
    text = canonical(entry(1, note_sealed=b"sealed")).decode()
    assert text.startswith('{"action":"leave","action_id":')
    assert '"note_sealed":"b' not in text
    assert "sealed" not in text.replace("note_sealed", "")


def test_canonical_form_is_the_same_for_the_same_instant_as_stored_in_utc() -> None:
    utc = entry(1)
    same = entry(1, recorded_at=datetime(2026, 11, 22, 8, 0, tzinfo=UTC) + timedelta(0))
    assert canonical(utc) == canonical(same)
    assert canonical(utc) != canonical(
        entry(1, recorded_at=datetime(2026, 11, 22, 16, 0, tzinfo=timezone(timedelta(hours=7))))
    )
