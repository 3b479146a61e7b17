"""Finds an operation by its address at once: several hundred patterns tried in turn cost more than an act."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, combinations

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

PLACE = "{}"
PARTS_MOST = 8
"""Parts of an address in which an id or a code may stand; a longer one is nobody's."""


class Table(BaseRoute):
    """Every operation by method and pattern. What it does not find is left to the router, which says 404 or 405."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_shape: dict[tuple[str, ...], Route] = {}
        for route in routes:
            parts = [PLACE if part.startswith("{") else part for part in route.path.strip("/").split("/")]
            for method in route.methods or ():
                self._by_shape.setdefault((method, *parts), route)

    def _find(self, scope: Scope) -> Route | None:
        parts = scope["path"].strip("/").split("/")
        exact = self._by_shape.get((scope["method"], *parts))
        if exact is not None:
            return exact
        places = range(1, min(len(parts), PARTS_MOST))
        for chosen in chain(combinations(places, 1), combinations(places, 2)):
            found = self._by_shape.get((scope["method"], *[PLACE if n in chosen else p for n, p in enumerate(parts)]))
            if found is not None:
                return found
        return None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The operation's own answer to whether it matches; none where there is none."""
        if scope["type"] != "http" or (route := self._find(scope)) is None:
            return Match.NONE, {}
        match, child = route.matches(scope)
        if match is not Match.FULL:
            return Match.NONE, {}
        child["operation_route"] = route
        return match, child

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the operation that was found."""
        route: Route = scope["operation_route"]
        await route.handle(scope, receive, send)
