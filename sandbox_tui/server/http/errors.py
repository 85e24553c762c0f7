"""Errors as a client sees them: a status, and always the same body.

    {"error": {"type": "NotFoundError", "message": "…", "hint": "…"}}

What JupyCell answers for its own errors is not made here: see `routes_jupycell`.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from sandbox_tui.model import errors
from sandbox_tui.model.codec import to_json
from sandbox_tui.model.errors import SandboxError

STATUS: Mapping[type[SandboxError], int] = {
    errors.UsageError: 400,
    errors.ReadOnlyError: 403,
    errors.PolicyError: 403,
    errors.NotFoundError: 404,
    errors.BackendUnavailableError: 503,
    errors.DeadlineError: 504,
    errors.ConflictError: 409,
    errors.LimitReachedError: 429,
    errors.FileError: 409,
    errors.RegistryError: 502,
    errors.RemoteRefusalError: 502,
    errors.BuildFailedError: 409,
    errors.StartFailedError: 409,
    errors.OperationFailedError: 409,
}
"""By class; an error has the status of the nearest of its ancestors."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, and what mends it."""

    type: str
    message: str
    hint: str = ""


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every answer that is an error."""

    error: Problem


def status_of(error: SandboxError) -> int:
    """The HTTP status that tells a program what went wrong."""
    return next((STATUS[base] for base in type(error).__mro__ if base in STATUS), 500)


def answer(status: int, kind: str, message: str, hint: str = "") -> Response:
    """An error as a response."""
    body = ErrorBody(Problem(kind, message, hint))
    return Response(to_json(body), status, media_type="application/json")


def install(app: FastAPI) -> None:
    """Have the app answer every error so."""
    app.add_exception_handler(SandboxError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def told(error: SandboxError) -> Response:
    """An error of the product as a response."""
    return answer(status_of(error), type(error).__name__, error.message, error.hint)


async def _ours(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, SandboxError)
    return told(error)


async def _invalid(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RequestValidationError)
    faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return answer(422, "InvalidRequestError", "; ".join(faults), "Read /docs.")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    message = f"{request.method} {request.url.path}: {error.detail or phrase}"
    response = answer(error.status_code, f"{phrase.title().replace(' ', '')}Error", message)
    response.headers.update(error.headers or {})
    if error.status_code == 405 and (methods := _methods(request)):
        response.headers["allow"] = ", ".join(methods)
    return response


def _methods(request: Request) -> list[str]:
    """Every method that this path has; the framework tells those of its first route only."""
    app = cast("FastAPI", request.app)
    for path, ways in app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.url.path):
            return [method.upper() for method in ways]
    return []


async def _unexpected(request: Request, error: Exception) -> Response:
    del request
    message = f"unexpected {type(error).__name__}"
    return answer(500, "UnexpectedError", message, "Read the server's log and report it.")
