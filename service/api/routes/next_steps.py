"""What is next for a person, over HTTP, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from service.actions.next_steps import Journey, Lacking, Part, next_steps
from service.api.messages import offered, told, words
from service.api.operations import Asked, Operation, Operations, respond
from service.api.routes.public import label_of
from service.api.schemas.next_steps import MyNextStepsOut, NextStepsOut
from service.domain.lifecycle import Offer

LINE = ("key", "title", "item", "item_id")
SUPPLY = "/v1/requirement-items/supply"


def _who(roles: Sequence[str], language: str) -> list[dict[str, Any]]:
    return [{"role": r, "label": label_of("roles", r, language)} for r in roles]


def _hand_in(x: Lacking) -> dict[str, Any] | None:
    line = x.line
    if line is None or not x.yours or line["item_id"] is not None or x.need.reason.code != "requirement_missing":
        return None
    return {"href": SUPPLY, "subject_id": line["subject_id"], "key": line["item"]}


def _need(x: Lacking, language: str) -> dict[str, Any]:
    reason = {"pointer": None, "required": None, "actual": None} | told(x.need.reason, language)
    line = x.line or {}
    return reason | {
        "who": _who(x.need.who, language),
        "yours": x.yours,
        "due_on": x.due_on,
        **{name: line.get(name) for name in LINE},
        "alternatives": line.get("alternatives", []),
        "hand_in": _hand_in(x),
    }


def _title(part: Part, language: str) -> str | None:
    title = part.title_native if language == "zh" else part.title_latin
    if part.subject == "obligation":
        code = f"obligation.{title}"
        return title if (known := words(code, language)) == code else known
    return label_of("consent_purposes", title, language) if part.subject == "consent" and title else title or None


def _possible(offer: Offer, href: str, language: str) -> dict[str, Any]:
    edits = offer.action == "edit"
    place = {"method": "PATCH", "href": href} if edits else {"method": "POST", "href": f"{href}/{offer.action}"}
    return offered(offer, language) | place


def _part(part: Part, language: str) -> dict[str, Any]:
    href = f"/v1/{part.plural.replace('_', '-')}/{part.id}"
    step = part.step
    return {
        "subject": part.subject,
        "subject_id": part.id,
        "title": _title(part, language),
        "state": part.state,
        "state_label": words(f"state.{part.state}", language),
        "version": part.version,
        "since_on": part.since_on,
        "href": href,
        "next": {
            "action": step.action,
            "label": words(f"action.{step.action}", language),
            "to": list(step.to),
            "who": _who(step.who, language),
            "yours": part.yours,
            "ready": not step.needs,
            "due_on": part.due_on,
            "overdue": part.overdue,
        },
        "needed": [_need(x, language) for x in part.lacking],
        "actions": [_possible(o, href, language) for o in part.offers],
    }


def _shown(journey: Journey, language: str) -> dict[str, Any]:
    return {
        "person_id": journey.person_id,
        "stage": journey.stage,
        "stage_label": label_of("journey_stages", journey.stage, language),
        "parts": [_part(p, language) for p in journey.parts],
    }


async def _mine(asked: Asked) -> Response:
    found = await next_steps(asked.services, asked.call)
    return respond({"items": [_shown(j, asked.language) for j in found]})


async def _of(asked: Asked) -> Response:
    (found,) = await next_steps(asked.services, asked.call, [asked.id])
    return respond(_shown(found, asked.language))


def routes() -> list[Operations]:
    """Every operation of the capability."""
    o = Operations("next_steps")
    o.add(
        Operation(
            "GET",
            "/me/next-steps",
            "me_next_steps",
            "What is next for me, what is still needed for it, whose it is and by when",
            _mine,
            "list",
            "next_steps.read",
            MyNextStepsOut,
        )
    )
    o.add(
        Operation(
            "GET",
            "/trainees/{id}/next-steps",
            "trainees_next_steps",
            "What is next for a person, what is still needed for it, whose it is and by when",
            _of,
            "read",
            "next_steps.read",
            NextStepsOut,
        )
    )
    return [o]
