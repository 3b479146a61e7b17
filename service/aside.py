"""Work that computes for long, beside the loop that must not wait: a thread with a loop and connections of its own.

What holds one of them does not hold the other; the interpreter itself passes from thread to thread every few
milliseconds.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from service.actions.work import Services

T = TypeVar("T")
Aside = Callable[[Callable[[Services], Awaitable[Any]]], Awaitable[Any]]
"""Runs an act on services of its own, and gives back what it answers or raises."""


@asynccontextmanager
async def aside(opened: Callable[[], AbstractAsyncContextManager[Services]]) -> AsyncIterator[Aside]:
    """A place for long work; what has begun is finished before it is left."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="aside", daemon=True)
    thread.start()
    held = opened()

    def there(awaitable: Awaitable[T]) -> Awaitable[T]:
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_awaited(awaitable), loop))

    try:
        services = await there(held.__aenter__())
        try:
            yield lambda act: there(act(services))
        finally:
            await there(held.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        loop.close()


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable
