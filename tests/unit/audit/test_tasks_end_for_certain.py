"""A task that loses its cancellation, as libraries make it do, ends all the same."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from foundation import cancellation


async def loops_and_loses(count: list[int], lost: int) -> None:
    while True:
        if len(count) < lost:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
                continue
            count.append(1)
        else:
            await asyncio.sleep(0.01)


async def fails() -> None:
    raise ValueError("on its own")


async def test_one_that_loses_two_cancellations_ends():
    lost: list[int] = []
    task = asyncio.create_task(loops_and_loses(lost, 2))
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await cancellation.ended(task, again=0.02)

    assert task.cancelled()
    assert len(lost) == 2


async def test_one_that_has_failed_harms_nobody():
    failed, waits = asyncio.create_task(fails()), asyncio.create_task(asyncio.sleep(60))

    await cancellation.ended(failed, waits)

    assert waits.cancelled()


async def test_nothing_is_over_at_once():
    await cancellation.ended()
