import asyncio
import time

from sandbox_tui.runtime.pulse import Pulse
from sandbox_tui.runtime.ticker import SHORTEST, Ticker


def test_failures_double_the_pause_up_to_the_longest() -> None:
    ticker = Ticker(1.0, longest=10.0)
    pauses: list[float] = []
    for _ in range(6):
        pauses.append(ticker.pause)
        ticker.failed()

    assert pauses == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    ticker.succeeded()
    assert ticker.pause == 1.0


async def test_a_wake_ends_the_pause_and_many_wakes_end_it_once() -> None:
    ticker = Ticker(3600)
    for _ in range(5):
        ticker.wake()
    async with asyncio.timeout(5):
        assert await ticker.wait()

    again = asyncio.create_task(ticker.wait())
    done, _ = await asyncio.wait({again}, timeout=0.1)
    assert not done
    ticker.wake()
    async with asyncio.timeout(5):
        await again


async def test_events_keep_the_shortest_pause_and_who_waits_does_not() -> None:
    ticker = Ticker(3600)
    loop = asyncio.get_running_loop()
    ticker.wake()
    began = loop.time()
    await ticker.wait()
    assert loop.time() - began > SHORTEST * 0.9

    ticker.hurry()
    waiting = asyncio.create_task(ticker.wait())
    for _ in range(10):  # turns of the loop, each of them too short for any timer
        await asyncio.sleep(0)
    assert waiting.done()


async def test_without_a_wake_the_interval_passes() -> None:
    began = time.monotonic()
    assert not await Ticker(0.1).wait()

    assert time.monotonic() - began >= 0.09


async def test_a_pulse_wakes_all_who_wait_and_nobody_later() -> None:
    pulse = Pulse()
    waiters = [asyncio.create_task(pulse.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    pulse.fire()
    async with asyncio.timeout(5):
        await asyncio.gather(*waiters[1:])

    late = asyncio.create_task(pulse.wait())
    done, _ = await asyncio.wait({late}, timeout=0.05)
    assert not done
    late.cancel()
