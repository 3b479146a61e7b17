"""A story over the service of this test, which hears everything that is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import World
from tests.journeys.story import Plot, Story


@pytest.fixture
def begin(world: World, dsn: str) -> Callable[[Plot], Story]:
    """A story that begins with a plot."""

    def begun(plot: Plot) -> Story:
        story = Story(world, dsn, plot)
        world.http.event_hooks["response"].append(story.listen)
        return story

    return begun
