"""A closed load on one thread: so many questions in flight, each answer followed by the next question at once."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import grpc.aio

CONNECTIONS = 4
"""Of gRPC, each taken in turn; HTTP has one for each question in flight."""

ANSWER_SECONDS = 20
MESSAGE_BYTES = 16 << 20


@dataclass(frozen=True)
class Asker:
    """One who asks a server about its pictures by their number."""

    ask: Callable[[int], Awaitable[bytes]]
    read: Callable[[bytes], list[float]]
    """An answer as probabilities. Not part of what is measured."""
    count: int
    close: Callable[[], Awaitable[None]]


def grpc_asker(address: str, method: str, requests: list[bytes], read: Callable[[bytes], list[float]]) -> Asker:
    """Sends and receives bytes as they are: the requests are encoded already."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", MESSAGE_BYTES)]
    channels = [grpc.aio.insecure_channel(address, options=options) for _ in range(CONNECTIONS)]
    calls = [channel.unary_unary(method) for channel in channels]

    async def ask(number: int) -> bytes:
        return await calls[number % CONNECTIONS](requests[number % len(requests)], timeout=ANSWER_SECONDS)

    async def close() -> None:
        await asyncio.gather(*(channel.close() for channel in channels))

    return Asker(ask, read, len(requests), close)


def http_asker(port: int, path: str, bodies: list[bytes], read: Callable[[bytes], list[float]]) -> Asker:
    """Posts bodies over connections that are kept."""
    session = aiohttp.ClientSession(
        f"http://127.0.0.1:{port}", timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS), headers={"Content-Type": "image/jpeg"}
    )

    async def ask(number: int) -> bytes:
        async with session.post(path, data=bodies[number % len(bodies)]) as response:
            answer = await response.read()
            if response.status != 200:
                raise RuntimeError(f"HTTP {response.status}: {answer[:200]!r}")
            return answer

    return Asker(ask, read, len(bodies), session.close)


@dataclass(frozen=True)
class Measured:
    """What a load found."""

    answered: int
    seconds: float
    latencies: list[float]
    """In seconds, sorted."""
    busy: float
    """The share of its core that the load itself took: near 1 it would be the load that is measured."""

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    @property
    def median(self) -> float:
        return statistics.median(self.latencies)

    @property
    def p99(self) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(0.99 * len(self.latencies)))]


async def closed(asker: Asker, in_flight: int, seconds: float) -> Measured:
    """Asks for so long; what is in flight at the end is waited for and counts, with its time. Any failure ends it."""
    latencies: list[float] = []
    began, busy = time.perf_counter(), time.process_time()
    end = began + seconds

    async def caller(number: int) -> None:
        while (asked := time.perf_counter()) < end:
            await asker.ask(number)
            latencies.append(time.perf_counter() - asked)
            number += in_flight + 1

    async with asyncio.TaskGroup() as callers:
        for number in range(in_flight):
            callers.create_task(caller(number))
    took = time.perf_counter() - began
    return Measured(len(latencies), took, sorted(latencies), (time.process_time() - busy) / took)
