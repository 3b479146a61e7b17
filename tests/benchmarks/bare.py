"""The least that could do the same: one ASGI function over the service's own reads and acts, without its HTTP layer."""

from __future__ import annotations

import os
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json

from service.actions import reading
from service.actions.placements import SUBJECT as PLACEMENTS
from service.actions.work import Call, Services, Wanted, offers, perform
from service.api.messages import offered
from service.api.routes.subjects import moved
from service.api.tokens import read_token
from service.storage.database import Database
from service.storage.files import Files
from service.storage.placements import VIEW as PLACEMENT
from service.storage.trainees import VIEW as TRAINEE
from service.storage.vault import Vault

_services: list[Services] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """R1 `/v1/placements/{id}?include=actions`, R2 `/v1/trainees?stage=...`, W1 `/v1/placements/{id}/reschedule`."""
    if scope["type"] == "lifespan":
        await receive()
        database = await Database.open(os.environ["DATABASE_URL"], 8)
        _services.append(Services(database, Vault.parse(os.environ["SOJOURN_KEYS"]), Files("file:///tmp")))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await database.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    services, headers = _services[0], dict(scope["headers"])
    token = read_token(headers[b"authorization"].decode())
    parts = scope["path"].split("/")
    if scope["method"] == "POST":
        raw = (await receive())["body"]
        key = headers[b"idempotency-key"].decode()
        told = sha256(scope["path"].encode() + b"\0" + raw).digest()
        call = Call(token.institution, "placements_reschedule", token.sight, token.digest, key, told)
        version = int(headers[b"if-match"].strip(b'"').split(b".")[0])
        given = {name: date.fromisoformat(day) for name, day in from_json(raw).items()}
        done = await perform(
            services, call, PLACEMENTS, parts[4], [Wanted(UUID(parts[3]), version)], given, answer=moved
        )
        body = done.body
    elif parts[2] == "placements":
        call = Call(token.institution, "placements_get", token.sight, token.digest)
        row = await reading.item(services, call, PLACEMENT, "placements.read", UUID(parts[3]))
        (_, mine) = (await offers(services, call, PLACEMENTS, [row["id"]]))[row["id"]]
        body = to_json(row | {"actions": [offered(o, "en") for o in mine]})
    else:
        call = Call(token.institution, "trainees_list", token.sight, token.digest)
        stage = scope["query_string"].split(b"=")[1].split(b"&")[0].decode()
        page = await reading.page(services, call, TRAINEE, "trainees.read", filters={"stage": stage}, limit=50)
        body = to_json({"items": page.items})
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
    ]})  # fmt: skip
    await send({"type": "http.response.body", "body": body})
