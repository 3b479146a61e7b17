"""Taking the files of somebody who was erased out of the store: noted in the act, done a moment later, and again."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from service.actions.work import Services
from service.storage.erasure import file_removed, files_waiting

AT_ONCE: Final = 200


async def remove_files(services: Services, institution: UUID) -> bool:
    """Remove the files that wait for it; whether more of them do.

    Raises:
        Unreachable: the store does not answer; they wait on.
    """
    async with services.database.connection() as con:
        waiting = await files_waiting(con, institution, AT_ONCE)
    for content_id in waiting:
        await services.files.delete(institution=institution, document_id=content_id)
        async with services.database.connection() as con:
            await file_removed(con, institution, content_id)
    return len(waiting) == AT_ONCE
