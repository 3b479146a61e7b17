"""The application: the only wiring of its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from service.actions.pace import TooSoon
from service.actions.work import KeyMissing, KeyReused, Missing, Services, StaleVersion, Unauthenticated, VersionMissing
from service.api import documentation, problems
from service.api.edge import Allowance, edge
from service.api.messages import refused as reasons_of
from service.api.messages import words
from service.api.pace import Rates
from service.api.problems import Problem, language_of
from service.api.routes import routers
from service.api.routes.public import healthz, readyz
from service.api.table import Table
from service.domain.lifecycle import Refused
from service.settings import Settings
from service.storage.database import BadInput, Conflict, Database, Unavailable
from service.storage.files import Files
from service.storage.vault import Vault

DESCRIPTION = (
    "Tracks people from enrolment, through language and skills training and credit recognition, to a placement or an "
    "exchange abroad, and home again."
)


def install_errors(app: FastAPI) -> None:
    """Every exception of the floors below, as a problem."""

    def refused(request: Request, error: Refused) -> Problem:
        language = language_of(request.scope)
        reasons = reasons_of(error.reasons, language)
        detail = None
        if error.open_actions:
            detail = words("open_actions", language, required=error.open_actions)
        return Problem("forbidden" if error.by_role else "refused", detail=detail, reasons=reasons)

    def conflict(request: Request, error: Conflict) -> Problem:
        return Problem(
            "conflict", reasons=[problems.because(error.rule, words(f"rule.{error.rule}", language_of(request.scope)))]
        )

    plain: dict[type[Exception], str] = {
        Unauthenticated: "unauthenticated",
        Missing: "not-found",
        KeyMissing: "idempotency-key-missing",
        KeyReused: "key-reused",
        StaleVersion: "stale",
        VersionMissing: "precondition-required",
        Unavailable: "unavailable",
        BadInput: "invalid",
    }

    def handle(kind: type[Exception], convert: Callable[[Request, Any], Problem]) -> None:
        async def handler(request: Request, error: Exception) -> Any:
            return problems.answer(request.scope, convert(request, error))

        app.add_exception_handler(kind, handler)

    handle(Refused, refused)
    handle(Conflict, conflict)

    def plainly(code: str) -> Callable[[Request, Any], Problem]:
        return lambda _request, _error: Problem(code)

    def too_soon(_request: Request, error: TooSoon) -> Problem:
        return Problem("too-many-requests", headers={"Retry-After": str(error.seconds)})

    handle(TooSoon, too_soon)
    for kind, code in plain.items():
        handle(kind, plainly(code))


def create_app(open_services: Callable[[], Any]) -> FastAPI:
    """The application over services that open when it starts and close when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services() as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="Sojourn",
        version="1",
        summary="From enrolment to a placement abroad, and home again.",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    declared = routers()
    app.router.routes.append(Table(route for router in declared for route in router.routes if isinstance(route, Route)))
    for router in declared:
        app.include_router(router)
    app.include_router(documentation.router)
    app.add_route("/healthz", healthz)
    app.add_route("/readyz", readyz)
    problems.install(app)
    install_errors(app)
    return app


def services_of(settings: Settings, dsn: str, keys: str) -> Callable[[], Any]:
    """The services of a process, from its settings."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Services]:
        database = await Database.open(dsn, settings.pool_size)
        try:
            yield Services(database, Vault.parse(keys), Files(settings.files()))
        finally:
            await database.close()

    return opened


IMPORT = Allowance(max_bytes=202 * 1024 * 1024, body_seconds=300, answer_seconds=60)
UPLOAD = Allowance(max_bytes=25 * 1024 * 1024, body_seconds=120, answer_seconds=60)
EXPORT = Allowance(answer_seconds=120)
BULK = Allowance(max_bytes=4 * 1024 * 1024, answer_seconds=60)


def served(app: FastAPI, settings: Settings) -> ASGIApp:
    """The application with its edge, as a server runs it."""
    paths = [str(getattr(route, "path", "")) for route in app.routes]
    bulk = {path: BULK for path in paths if "/bulk/" in path or path.startswith("/v1/reports")}
    exported = {path: EXPORT for path in paths if path.endswith("/export")}
    whole = edge(
        app,
        allowances={
            "/v1/documents": UPLOAD,
            "/v1/imports": IMPORT,
            "/v1/sittings/{id}/results": UPLOAD,
            **exported,
            **bulk,
        },
        origins=settings.origins,
        metrics_token=settings.metrics_token,
        rates=Rates(
            settings.rate_key,
            settings.rate_institution,
            settings.rate_address,
            at_once=max(1, settings.pool_size - 2),
        ),
    )
    return wrap_asgi_with_proxy_headers(whole, settings.proxies) if settings.proxies else whole
