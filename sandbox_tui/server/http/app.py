"""The HTTP API as an app over any `Api`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection

from fastapi import FastAPI
from fastapi_swagger import (  # pyright: ignore[reportMissingTypeStubs]  # it has none
    patch_fastapi,
)

import sandbox_tui
from sandbox_tui.api.base import Api
from sandbox_tui.api.limited import LimitedApi
from sandbox_tui.server.http import errors, schemas
from sandbox_tui.server.http.auth import Gate
from sandbox_tui.server.http.culling import Culler
from sandbox_tui.server.http.door import Door
from sandbox_tui.server.http.numbered import NumberedKernels
from sandbox_tui.server.http.room_sync import RoomSync
from sandbox_tui.server.http.routes_actions import ActionRoutes
from sandbox_tui.server.http.routes_dockyter import Dockyter
from sandbox_tui.server.http.routes_jupycell import JupyCell
from sandbox_tui.server.http.routes_rooms import RoomRoutes
from sandbox_tui.server.http.routes_sandboxes import SandboxRoutes
from sandbox_tui.server.http.routes_world import WorldRoutes
from sandbox_tui.server.http.runs import Runs
from sandbox_tui.settings.schema import Server

OPEN = ("/health",)
"""What is answered without a token: it tells nothing but that there is an answer."""


def make_app(
    api: Api,
    settings: Server,
    gate: Gate,
    *,
    allowed: Collection[str] = (),
    engines: Collection[str] = (),
) -> FastAPI:
    """The app; `gate` says who may ask, `allowed` what containers may have.

    The sockets of `engines` are among what they may not have.

    Its lifespan ends kernels that nobody uses.
    """
    api = LimitedApi(api, settings.kernels)
    kernels = NumberedKernels(api, settings.timeout)
    runs = Runs(settings.output)
    app = FastAPI(
        title="sandbox-tui",
        version=sandbox_tui.__version__,
        summary="tmux sessions, containers and notebook kernels over HTTP",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        lifespan=lambda _: _culling(Culler(api, kernels, settings.idle), settings.idle),
    )
    app.add_middleware(Door, gate=gate, longest=settings.body, patience=settings.upload)
    errors.install(app)
    for router in (
        WorldRoutes(api).router(),
        JupyCell(kernels, settings.output).router(),
        Dockyter(api, allowed, engines, settings.timeout, settings.output).router(),
        ActionRoutes(api, runs).router(),
        SandboxRoutes(api, runs, settings.output).router(),
        RoomRoutes(api, runs).router(),
        RoomSync(api).router(),
    ):
        app.include_router(router)
    patch_fastapi(app)  # Swagger's page with its own files: none come from elsewhere
    schemas.describe(app)
    return app


@contextlib.asynccontextmanager
async def _culling(culler: Culler, idle: float) -> AsyncGenerator[None]:
    work = asyncio.create_task(culler.run(), name="culling") if idle else None
    try:
        yield
    finally:
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
