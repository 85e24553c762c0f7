import asyncio
import threading
import time

import pytest

from sandbox_tui.model.errors import DeadlineError
from sandbox_tui.runtime.pool import Pool


async def test_a_call_returns_its_value_or_raises_its_error() -> None:
    pool = Pool("test", 2)

    assert await pool.run(5, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await pool.run(5, divmod, 7, 0)
    pool.close()


async def test_stuck_calls_cost_their_deadline_and_their_threads_only() -> None:
    pool, stuck = Pool("engine", 2), threading.Event()
    calls = [pool.run(0.05, stuck.wait) for _ in range(2)]
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(answer, DeadlineError) for answer in answers)
    with pytest.raises(DeadlineError, match="engine"):
        await pool.run(0.05, divmod, 7, 2)
    stuck.set()
    assert await pool.run(5, divmod, 7, 2) == (3, 1)
    pool.close()


async def test_no_more_threads_than_allowed() -> None:
    pool, seen = Pool("few", 3), set[str]()
    gate = threading.Barrier(3, timeout=5)

    def work() -> None:
        gate.wait()
        seen.add(threading.current_thread().name)

    await asyncio.gather(*(pool.run(5, work) for _ in range(9)))

    assert seen == {"few-0", "few-1", "few-2"}
    pool.close()


async def test_a_full_backlog_is_said_at_once() -> None:
    pool, stuck = Pool("full", 1, backlog=1), threading.Event()
    started = threading.Event()
    first = asyncio.create_task(pool.run(5, lambda: started.set() or stuck.wait()))
    await asyncio.to_thread(started.wait, 5)
    second = asyncio.create_task(pool.run(5, divmod, 7, 2))
    await asyncio.sleep(0)

    with pytest.raises(DeadlineError, match="too many calls wait"):
        await pool.run(5, divmod, 7, 2)
    stuck.set()
    assert await second == (3, 1)
    await first
    pool.close()


async def test_its_threads_do_not_hold_the_program() -> None:
    pool = Pool("daemons", 1)
    await pool.run(5, divmod, 1, 1)

    [thread] = [t for t in threading.enumerate() if t.name == "daemons-0"]
    assert thread.daemon
    pool.close()
    await asyncio.to_thread(thread.join, 5)
    assert not thread.is_alive()


async def test_a_cancel_is_not_lost_to_an_answer_of_the_same_moment() -> None:
    pool, begun = Pool("race", 1), threading.Event()

    def answer() -> None:
        begun.set()

    def race() -> None:
        begun.wait(5)
        time.sleep(0.05)  # the answer is now on its way to the loop, the cancel comes right after
        loop.call_soon(task.cancel)

    loop = asyncio.get_running_loop()
    task = asyncio.create_task(pool.run(5.0, answer))
    loop.call_soon(race)
    with pytest.raises(asyncio.CancelledError):
        await task
    pool.close()
