"""Units of an institution: schools, departments, training centres."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from service.domain.actors import ADMIN
from service.domain.lifecycle import NEW, Lifecycle, Rule, Takes

NAMES: tuple[Takes[Any], ...] = (
    Takes("name_native", Annotated[str, "line"], "Its name in its own script."),
    Takes("name_latin", Annotated[str, "line"], "Its name in Latin script."),
    Takes("parent_id", UUID, "The unit that it belongs to.", needed=False),
)

# fmt: off
UNIT = Lifecycle[Any]("unit", [
    #    action   from     to       who      only if  leaves behind
    Rule("found", [NEW],   "open",  [ADMIN], [],      "unit.founded", takes=NAMES),
    Rule("close", ["open"], "closed", [ADMIN], [],    "unit.closed"),
], correctable=False)
# fmt: on
