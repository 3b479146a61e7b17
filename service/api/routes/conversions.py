"""Credit schemes, grading scales, and the calculator of conversions."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field, create_model
from starlette.responses import Response

from service.actions import conversions
from service.actions.conversions import CreditsAsked, GradeAsked
from service.api.inputs import In, given_of, kind_of
from service.api.operations import Asked, Operation, Operations, respond
from service.api.schemas.conversions import ConversionOut, CreditSchemesOut, GradingScalesOut
from service.domain.lifecycle import Takes

ASKED: tuple[Takes[Any], ...] = (
    Takes("as_of", date, "The day on which it was agreed or achieved; today where none is given."),
    Takes("credits", CreditsAsked, "Credits to convert."),
    Takes("grade", GradeAsked, "A grade to convert."),
)
EXAMPLE = {
    "amount": "6",
    "policy": {
        "from_scheme": "ects",
        "legs": [{"method": "annual_load", "to_scheme": "cn-college@16", "full_year_to": "40"}],
        "rounding": {"mode": "down", "step": "0.5"},
    },
}
ConversionIn = create_model(
    "ConversionIn",
    __base__=In,
    __doc__="Credits, a grade or both.",
    credits=(kind_of(CreditsAsked) | None, Field(default=None, description=ASKED[1].about, examples=[EXAMPLE])),
    grade=(kind_of(GradeAsked) | None, Field(default=None, description=ASKED[2].about)),
    as_of=(kind_of(date) | None, Field(default=None, description=ASKED[0].about)),
)


async def _schemes(asked: Asked) -> Response:
    return respond({"items": await conversions.schemes(asked.services, asked.call)})


async def _scales(asked: Asked) -> Response:
    return respond({"items": await conversions.scales(asked.services, asked.call)})


async def _convert(asked: Asked) -> Response:
    return respond(await conversions.convert(asked.services, asked.call, given_of(asked.body, ASKED)))


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("conversions")
    for path, name, summary, handle, out in (
        ("/credit-schemes", "credit_schemes_list", "List credit schemes with sources", _schemes, CreditSchemesOut),
        ("/grading-scales", "grading_scales_list", "List grading scales with sources", _scales, GradingScalesOut),
    ):
        o.add(Operation("GET", path, name, summary, handle, "read", "conversions.read", out))
    o.add(
        Operation(
            "POST",
            "/conversions",
            "conversions_compute",
            "Compute a conversion of credits or a grade, with every step; nothing is kept",
            _convert,
            "compute",
            "conversions.read",
            ConversionOut,
            ConversionIn,
        )
    )
    return [o]
