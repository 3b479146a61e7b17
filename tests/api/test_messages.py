"""The words of reasons: values in their places, as a person reads them."""

from __future__ import annotations

from datetime import date

from service.api.messages import told
from service.domain.lifecycle import Reason


def test_message_shows_named_values_as_words() -> None:
    reason = Reason(
        "requirement_too_old", actual={"issued_on": "2025-08-29", "last_day": date(2025, 11, 29), "no": None}
    )
    assert (
        told(reason, "en")["text"]
        == "It was too old on the day of the step: issued on 2025-08-29, last day 2025-11-29."
    )
