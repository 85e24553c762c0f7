"""A table of routes: which request leads to which function, what it takes and gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

from fastapi import APIRouter, Response

from sandbox_tui.server.http.schemas import ERRORS, body

Responses = dict[int | str, dict[str, Any]]


class Way(NamedTuple):
    """One route. `takes` is the type of the JSON body, which the function reads itself."""

    method: str
    path: str
    route: Callable[..., Awaitable[Response]]
    gives: Responses
    takes: object = None


def routes(prefix: str, tag: str, ways: Iterable[Way]) -> APIRouter:
    """A router of them, in this order."""
    router = APIRouter(prefix=prefix, tags=[tag], responses=ERRORS, default_response_class=Response)
    for way in ways:
        router.add_api_route(
            way.path,
            way.route,
            methods=[way.method],
            responses=way.gives,
            openapi_extra=body(way.takes) if way.takes is not None else None,
            status_code=next(status for status in way.gives if isinstance(status, int)),
        )
    return router
