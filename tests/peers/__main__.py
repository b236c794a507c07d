"""Measures Vigie and other servers in turn: pictures a second with 8 in flight, and how long one alone is waited for.

Every server gets the same JPEG pictures over its own protocol, and decodes, resizes, normalises and runs the same model file with the same ONNX
Runtime, on one core and one thread; how each is configured lies in tests/peers/NAME. The load runs on another core. All servers are started once and
idle while it is another's turn, and every figure is the middle of the rounds.

`make bench-peers` prepares what this needs. Then it can be run by itself: PYTHONPATH=tests .runtime/peers/load/bin/python -m peers --quick
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import uvloop

from . import report
from .load import Asker, closed
from .processes import Died, Started
from .questions import Questions
from .report import Result, Round
from .servers import PROJECT, SERVERS, Find, House, Server

IN_FLIGHT = 8
DECODING = {
    "guide": "by Pillow, as their guides show it",
    "half": "by simplejpeg at half the size, as Vigie does here",
    "whole": "by simplejpeg at full size",
}
START_SECONDS = 90
SETTLE_SECONDS = 2.0
WARM_SECONDS = 0.5


class Unprepared(Exception):
    """Something that has to be there is not; says what to do."""


@dataclass
class Side:
    """A server in the comparison: started and asked, or failed."""

    server: Server
    result: Result
    started: Started | None = None
    asker: Asker | None = None

    @property
    def takes_part(self) -> bool:
        return self.asker is not None and self.result.failure is None

    def fail(self, error: BaseException) -> None:
        """Leaves the comparison, and the core to the others."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self.result.failure = first_line(error)
        say(f"{self.server.title}: {self.result.failure}")
        if self.started:
            self.started.stop()


def first_line(error: BaseException) -> str:
    """What an error says, or its name where it says nothing."""
    if isinstance(error, grpc.aio.AioRpcError):
        return f"{error.code().name}: {error.details()}"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def say(words: str) -> None:
    print(f"==> {words}", file=sys.stderr, flush=True)


def main() -> int:
    """0 where Vigie and at least one peer were measured."""
    options = _parse()
    try:
        server_core, load_core = _cores()
        exported = options.exported.resolve()
        for needed in ("model.onnx", "pictures/*.jpg", "models/adsafety/*/version.toml"):
            if not list(exported.glob(needed)):
                raise Unprepared(f"{exported / needed} is not there: run make bench-peers, which exports it")
        os.sched_setaffinity(0, {load_core})
        questions = Questions(exported, PROJECT / "proto")
        sides = [Side(server, Result(server.name, server.title, server.protocol, server.version())) for server in _chosen(options.servers)]
        logs = exported / "logs"
        logs.mkdir(exist_ok=True)
        # A terminated run cleans up as an interrupted one does.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        with tempfile.TemporaryDirectory(prefix="vigie-peers-") as scratch:
            house = House(exported, Path(scratch), logs, server_core, options.decode)
            try:
                uvloop.run(_measure(sides, house, questions, options.rounds, options.seconds))
            finally:
                for side in sides:
                    if side.started:
                        side.started.stop()
    except Unprepared as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    results = [side.result for side in sides]
    picture_bytes = sum(map(len, questions.pictures)) // len(questions.pictures)
    print(f"{report.machine()}; the servers on core {server_core}, the load on core {load_core}")
    pictures = f"{len(questions.pictures)} JPEG pictures of {picture_bytes / 1000:.0f} KB"
    print(f"{pictures}, {options.rounds} rounds of {options.seconds:g} s; the peers decode {DECODING[options.decode]}\n")
    print(report.table(results))
    settings = {
        "decode": options.decode,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "pictures": len(questions.pictures),
        "picture_bytes": picture_bytes,
    }
    report.write(results, settings, options.json)
    measured = {result.name for result in results if result.rounds}
    return 0 if "vigie" in measured and len(measured) > 1 else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "servers", nargs="*", metavar="SERVER", help=f"which to measure: {', '.join(server.name for server in SERVERS)}; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="one round of 1.5 s, to see whether everything works")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each server (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="how long a turn is with 8 in flight; half as long with one (default: %(default)s)"
    )
    parser.add_argument(
        "--decode",
        choices=DECODING,
        default="guide",
        help="how the peers decode: " + "; ".join(f"{name}: {words}" for name, words in DECODING.items()) + " (default: %(default)s)",
    )
    parser.add_argument("--exported", type=Path, default=PROJECT / "target/tmp/peers", help="the folder with the pictures and the model")
    parser.add_argument("--json", type=Path, default=PROJECT / "target/tmp/peers.json", help="where everything is written, round by round")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1.5
    unknown = set(options.servers) - {server.name for server in SERVERS}
    if unknown:
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds and --seconds must be above 0")
    return options


def _chosen(names: list[str]) -> list[Server]:
    return [server for server in SERVERS if not names or server.name in names]


def _cores() -> tuple[int, int]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Unprepared("two cores are needed, one for the servers and one for the load")
    return cores[0], cores[1]


async def _measure(sides: list[Side], house: House, questions: Questions, rounds: int, seconds: float) -> None:
    try:
        # One after another: starting costs each the core that they share.
        for side in sides:
            await _start(side, house, questions)
        await _compare_answers(sides)
        await _look_at_rest(sides)
        for number in range(rounds):
            for side in sides:
                if side.takes_part:
                    await _turn(side, f"round {number + 1} of {rounds}", seconds)
    finally:
        for side in sides:
            if side.asker:
                await side.asker.close()


async def _start(side: Side, house: House, questions: Questions) -> None:
    """Starts a server and asks it until it answers."""
    if missing := side.server.missing():
        return side.fail(Died(missing))
    say(f"{side.server.title}: starting")
    try:
        side.started, find = side.server.start(house, questions)
        side.asker = await _answering(side.started, find)
    except (Died, OSError) as error:
        side.fail(error)


async def _answering(started: Started, find: Find) -> Asker:
    deadline = time.monotonic() + START_SECONDS
    asker, why = None, "it did not say where it listens"
    try:
        while time.monotonic() < deadline:
            started.check()
            asker = asker or find()
            if asker:
                try:
                    asker.read(await asker.ask(0))
                    return asker
                except Exception as error:  # whatever a server that is still starting answers
                    why = first_line(error)
            await asyncio.sleep(0.2)
        raise Died(f"no answer within {START_SECONDS} s: {why}; {started.last_words()}")
    except BaseException:
        if asker:
            await asker.close()
        raise


async def _compare_answers(sides: list[Side]) -> None:
    """Asks each about every picture: whoever answered at once with something else would look fast."""
    answers: dict[str, list[list[float]]] = {}
    for side in sides:
        if side.takes_part:
            try:
                answers[side.server.name] = [side.asker.read(await side.asker.ask(number)) for number in range(side.asker.count)]
            except Exception as error:  # of any protocol
                side.fail(error)
    reference = answers.get("vigie") or next(iter(answers.values()), [])
    for side in sides:
        pairs = zip(answers.get(side.server.name, []), reference)
        side.result.scores_differ = max((abs(a - b) for mine, theirs in pairs for a, b in zip(mine, theirs, strict=True)), default=0.0)


async def _look_at_rest(sides: list[Side]) -> None:
    """How much of the core each takes while nobody asks."""
    say("all at rest for a moment")
    await asyncio.sleep(1)
    running = [side for side in sides if side.takes_part]
    before = [side.started.cpu_seconds() for side in running]
    await asyncio.sleep(SETTLE_SECONDS)
    for side, busy in zip(running, before):
        side.result.idle_busy = (side.started.cpu_seconds() - busy) / SETTLE_SECONDS


async def _turn(side: Side, round_name: str, seconds: float) -> None:
    try:
        await closed(side.asker, IN_FLIGHT, WARM_SECONDS)
        alone = await closed(side.asker, 1, seconds / 2)
        before = side.started.cpu_seconds()
        together = await closed(side.asker, IN_FLIGHT, seconds)
        cpu = (side.started.cpu_seconds() - before) / together.answered
        side.started.check()
    except (Exception, BaseExceptionGroup) as error:  # of any protocol
        return side.fail(error)
    side.result.memory_bytes = side.started.memory()
    side.result.rounds.append(Round(together.rate, 1e3 * alone.median, 1e3 * alone.p99, 1e3 * cpu, together.busy))
    say(f"{round_name}, {side.server.title}: {together.rate:.1f} pictures/s, one alone {1e3 * alone.median:.2f} ms")


if __name__ == "__main__":
    sys.exit(main())
