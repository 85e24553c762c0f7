"""The model in the words of OpenAPI: what routes take and give is described by its own types."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Union, cast

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from sandbox_tui.hub.handlers import performable
from sandbox_tui.model.actions import Action
from sandbox_tui.model.refs import Ref
from sandbox_tui.server.http.errors import ErrorBody

Schema = Mapping[str, Any]

_TEMPLATE = "#/components/schemas/{name}"
_REF = {"type": "string", "pattern": r"^(tmux|container|room):.+$", "examples": ["room:lab"]}
_JSON = "application/json"

_COMPONENTS: dict[str, Schema] = {}
"""Every named type that a route was described with."""


def any_action(*without: type[Action]) -> type[Action]:
    """Every action that can be performed, as one type: its tag says which."""
    actions = sorted(performable() - {*without}, key=lambda action: action.__name__)
    either: Any = Union
    return cast("type[Action]", either[tuple(actions)])


def schema(wanted: object) -> Schema:
    """How a value of that type looks; structs are named and go among the components."""
    [found], named = msgspec.json.schema_components(
        [wanted], schema_hook=_hook, ref_template=_TEMPLATE
    )
    _COMPONENTS.update(named)
    return found


def body(wanted: object) -> dict[str, Any]:
    """What a route takes, for `openapi_extra`; see `reading.read` for what may be left out."""
    content = {_JSON: {"schema": schema(wanted)}}
    return {"requestBody": {"required": not _can_be_left_out(wanted), "content": content}}


def _can_be_left_out(wanted: object) -> bool:
    try:
        msgspec.convert({}, wanted)
    except msgspec.ValidationError:
        return False
    return True


def gives(what: str, wanted: object, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What a route answers, for `responses`."""
    return {status: {"description": what, "content": {_JSON: {"schema": schema(wanted)}}}}


def streams(what: str, *wanted: object, also: object = None) -> dict[int | str, dict[str, Any]]:
    """The same for a stream of events, each with one of `wanted` as JSON; `also` as plain JSON."""
    either = {"anyOf": [schema(each) for each in wanted]}
    data = {"type": "string", "contentMediaType": _JSON, "contentSchema": either}
    parts = {"event": {"type": "string"}, "id": {"type": "string"}, "data": data}
    event = {"type": "object", "properties": parts, "required": ["event", "data"]}
    content: dict[str, Any] = {"text/event-stream": {"schema": event}}
    if also is not None:
        content[_JSON] = {"schema": schema(also)}
    return {200: {"description": what, "content": content}}


def describe(app: FastAPI) -> None:
    """Give the app a description with the model's types in it."""

    @functools.cache
    def openapi() -> dict[str, Any]:
        told = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        parts = told.setdefault("components", {})
        parts["schemas"] = {**parts.get("schemas", {}), **_COMPONENTS}
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        told["security"] = [{"token": []}, {}]
        return told

    app.openapi = openapi


def _hook(wanted: type) -> dict[str, Any]:
    if wanted is Ref:
        return _REF
    if wanted is object:
        return {"description": "anything JSON has"}
    raise NotImplementedError(wanted)


_PROBLEM = {"description": "What is wrong.", "content": {_JSON: {"schema": schema(ErrorBody)}}}
ERRORS: dict[int | str, dict[str, Any]] = {422: _PROBLEM, "4XX": _PROBLEM, "5XX": _PROBLEM}
"""What every route may answer besides."""

DONE: dict[int | str, dict[str, Any]] = {204: {"description": "It is done."}}
