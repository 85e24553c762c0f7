"""How a container is now, from one look at the engine and two at the kernel's counters."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from sandbox_tui.api.containers_async.machine import Machine
from sandbox_tui.api.containers_async.values import ContainerInfo
from sandbox_tui.backends.upkeep import Processes
from sandbox_tui.model.outputs import Vitals
from sandbox_tui.model.refs import Ref

APART = 0.2
"""Seconds between two readings of the counters: a share of the processor needs two."""

STREAMED = 4.0
"""How long to wait for the first measurement of an engine on another machine, in seconds."""


class _Address(msgspec.Struct, rename="pascal"):
    ip: str = msgspec.field(default="", name="IPAddress")


class _Binding(msgspec.Struct, rename="pascal"):
    host_port: str = ""


class _Networks(msgspec.Struct, rename="pascal"):
    networks: dict[str, _Address] | None = None
    ports: dict[str, list[_Binding] | None] | None = None


class _State(msgspec.Struct, rename="pascal"):
    status: str = ""
    started_at: str = ""


class _Config(msgspec.Struct, rename="pascal"):
    image: str = ""


class _Inspected(msgspec.Struct, rename="pascal"):
    """What an engine says, as far as it is read here."""

    id: str
    created: str
    state: _State
    config: _Config
    network_settings: _Networks


async def info_of(machine: Machine, ref: Ref) -> ContainerInfo:
    """How it is now. Raises `NotFoundError`, `BackendUnavailableError`."""
    told = msgspec.convert(await machine.api.inspect(ref), _Inspected)
    started = _moment(told.state.started_at)
    addresses = [each.ip for each in (told.network_settings.networks or {}).values()]
    info = ContainerInfo(
        id=told.id,
        name=ref.name,
        status=told.state.status,
        image=told.config.image,
        created_at=_moment(told.created) or datetime.fromtimestamp(0, UTC),
        started_at=started,
        network=bool(set(told.network_settings.networks or ()) - {"none"}),
        ip_address=next(filter(None, addresses), ""),
        ports=dict(_ports(told.network_settings)),
    )
    if info.status not in ("running", "paused"):
        return info
    vitals = await _measured(machine, ref)  # first: to look inside is work, too
    processes = await _inside(machine, ref) if info.status == "running" else ()
    uptime = datetime.now(UTC) - started if started else None
    info = dataclasses.replace(info, uptime=uptime, processes=tuple(map(dict, processes)))
    return _with(info, vitals) if vitals is not None else info


async def _measured(machine: Machine, ref: Ref) -> Vitals | None:
    """Two readings; of another machine's engine the first one that comes with a rate."""
    vitals = (await machine.api.vitals([ref])).get(ref)
    for _ in range(int(STREAMED / APART)):
        await asyncio.sleep(APART)
        vitals = (await machine.api.vitals([ref])).get(ref, vitals)
        if vitals is not None and vitals.cpu is not None:
            break
    return vitals


async def _inside(machine: Machine, ref: Ref) -> Sequence[Mapping[str, str]]:
    backend = machine.hub.backend(ref.place)
    return await backend.processes(ref) if isinstance(backend, Processes) else ()


def _with(info: ContainerInfo, vitals: Vitals) -> ContainerInfo:
    memory, limit = vitals.memory or 0, vitals.memory_limit or 0
    return dataclasses.replace(
        info,
        memory_usage=_size(memory),
        memory_limit=_size(limit) if limit else "",
        memory_percent=round(100 * memory / limit, 2) if limit else 0.0,
        cpu_percent=round(100 * (vitals.cpu or 0.0), 2),
        pids=len(info.processes) or vitals.pids or 0,
    )


def _ports(settings: _Networks) -> Iterator[tuple[int, int]]:
    for inside, bindings in (settings.ports or {}).items():
        for binding in bindings or ():
            if binding.host_port.isdecimal():
                yield int(binding.host_port), int(inside.partition("/")[0])


def _moment(text: str) -> datetime | None:
    """A time as engines write it, to the nanosecond; the year 1 stands for never."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.year > 1 else None


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
