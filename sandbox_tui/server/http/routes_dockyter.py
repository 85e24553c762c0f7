"""Dockyter's API backend: `GET /health` and `POST /execute`, with the policy kept here too."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Collection
from functools import partial
from typing import cast

import msgspec
from fastapi import APIRouter, Request, Response

from sandbox_tui.api.base import Api
from sandbox_tui.hub.throwaway import described, running
from sandbox_tui.model.actions import RunOnce
from sandbox_tui.model.errors import UsageError
from sandbox_tui.model.outputs import Outcome, Result
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.server.http.outputs import result_within
from sandbox_tui.server.http.reading import as_json, read
from sandbox_tui.server.http.schemas import gives
from sandbox_tui.server.http.streaming import while_there
from sandbox_tui.server.http.ways import Way, routes

EXIT_CODE = "x-exit-code"
"""The header that tells what the contract has no place for."""


class Healthy(msgspec.Struct, frozen=True):
    """There is an answer."""

    status: str = "ok"


class Command(msgspec.Struct, frozen=True):
    """A shell command, and the arguments of `docker run` up to the image."""

    cmd: str
    args: str


class Said(msgspec.Struct, frozen=True):
    """What the command said, when it has ended."""

    stdout: str
    stderr: str


class Dockyter:
    """The routes. `allowed` is what containers may have, `timeout` seconds of life are the most.

    The sockets of `engines` are guarded, too.
    """

    def __init__(
        self,
        api: Api,
        allowed: Collection[str],
        engines: Collection[str],
        timeout: float,
        most: int,
    ) -> None:
        self._api = api
        self._described = partial(described, allowed=allowed, engines=engines)
        self._timeout = timeout
        self._most = most

    def router(self) -> APIRouter:
        """Them, for the app."""
        ways = (
            Way("GET", "/health", self.health, gives("It answers.", Healthy)),
            Way("POST", "/execute", self.execute, gives("What the command said.", Said), Command),
        )
        return routes("", "Dockyter", ways)

    async def health(self) -> Response:
        """Whether there is an answer; needs no token."""
        return as_json(Healthy())

    async def execute(self, request: Request) -> Response:
        """Run a command in a container of its own, which is gone afterwards."""
        asked = await read(request, Command)
        words = _words(asked.args)
        spec = await asyncio.to_thread(self._described, words)
        action = RunOnce(spec=running(spec, asked.cmd), timeout=self._timeout)
        execution = cast(Execution, await self._api.perform(action))
        result = await while_there(request, _ended(execution))
        if result is None:
            await execution.cancel()
            return as_json(Said("", ""))  # to nobody
        response = as_json(_said(result_within(result, self._most)))
        response.headers[EXIT_CODE] = str(result.exit_code if result.exit_code is not None else "")
        return response


async def _ended(execution: Execution) -> Result:
    return await execution


def _said(result: Result) -> Said:
    by_itself = result.outcome in (Outcome.OK, Outcome.ERROR)
    why = "" if by_itself else f"{result.outcome}: {result.detail}\n"
    return Said(result.stdout, result.stderr + why)


def _words(arguments: str) -> list[str]:
    try:
        return shlex.split(arguments)
    except ValueError as error:
        raise UsageError(f"args: {error}", hint="Close the quotes.") from None
