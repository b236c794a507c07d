"""What was found, as a table and as JSON."""

import json
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Round:
    """One server's turn."""

    rate: float
    """Pictures a second."""
    median_ms: float
    p99_ms: float
    cpu_ms: float
    """Processor time of the server for each picture."""
    load_busy: float


@dataclass
class Result:
    """All that was found of one server. Without rounds, `failure` says why."""

    name: str
    title: str
    protocol: str
    version: str
    rounds: list[Round] = field(default_factory=list)
    failure: str | None = None
    memory_bytes: int = 0
    idle_busy: float = 0.0
    """The share of its core that it took while nobody asked."""
    scores_differ: float = 0.0
    """By how much its probabilities depart from Vigie's, at most over all pictures and labels."""

    def over_rounds(self, of: Callable[[Round], float]) -> float:
        return statistics.median(map(of, self.rounds))


def ratio(of: Callable[[Round], float], first: Result, second: Result) -> float:
    """The middle of the rounds' ratios: within a round the machine was the same for both."""
    return statistics.median(of(a) / of(b) for a, b in zip(first.rounds, second.rounds))


def machine() -> str:
    """The processor's name and how many cores there are."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {len(names) or 1} cores"


HEADINGS = ("", "", "8 in flight", "1 in flight", "", "Vigie to it:", "", "memory")
UNITS = ("", "", "pictures/s", "median ms", "p99 ms", "pictures/s", "median", "MB")


def table(results: Sequence[Result]) -> str:
    """Rows of figures, then who could not be measured and why, then what makes a figure doubtful."""
    vigie = _vigie(results)
    rows = [HEADINGS, UNITS]
    remarks = []
    for result in results:
        label = f"{result.title} {result.version}".strip()
        if not result.rounds:
            remarks.append(f"{label} was not measured: {result.failure}")
            continue
        against = ("", "")
        if vigie and result is not vigie:
            against = (f"{ratio(lambda r: r.rate, vigie, result):.2f} x", f"{ratio(lambda r: r.median_ms, vigie, result):.2f} x")
        rate, *waits = (result.over_rounds(of) for of in (lambda r: r.rate, lambda r: r.median_ms, lambda r: r.p99_ms))
        figures = (f"{rate:.1f}", *(f"{wait:.2f}" for wait in waits))
        rows.append((label, result.protocol, *figures, *against, f"{result.memory_bytes / 1e6:.0f}"))
        remarks.extend(_doubts(label, result))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    # Names to the left, figures to the right.
    cells = [[cell.ljust(widths[column]) if column < 2 else cell.rjust(widths[column]) for column, cell in enumerate(row)] for row in rows]
    lines = ["  ".join(row).rstrip() for row in cells]
    return "\n".join([*lines, *([""] if remarks else []), *remarks])


def _doubts(label: str, result: Result) -> list[str]:
    doubts = []
    if result.failure:
        doubts.append(f"{label} failed after {len(result.rounds)} rounds: {result.failure}")
    if result.over_rounds(lambda r: r.load_busy) > 0.7:
        doubts.append(f"{label}: the load took {100 * result.over_rounds(lambda r: r.load_busy):.0f} % of its core, so the server may do more")
    if result.idle_busy > 0.05:
        doubts.append(f"{label} took {100 * result.idle_busy:.0f} % of the servers' core while nobody asked it, of everybody's turn")
    if result.scores_differ > 0.05:
        doubts.append(f"{label}: its probabilities depart from Vigie's by up to {result.scores_differ:.3f}")
    return doubts


def _vigie(results: Sequence[Result]) -> Result | None:
    return next((result for result in results if result.name == "vigie" and result.rounds), None)


def write(results: Sequence[Result], settings: dict[str, object], file: Path) -> None:
    """Everything, round by round, and the middles."""
    vigie = _vigie(results)
    servers = []
    for result in results:
        entry = asdict(result)
        if result.rounds:
            entry["middle"] = {name: statistics.median(turn[name] for turn in entry["rounds"]) for name in entry["rounds"][0]}
            if vigie:
                entry["vigie_to_it"] = {"rate": ratio(lambda r: r.rate, vigie, result), "median_ms": ratio(lambda r: r.median_ms, vigie, result)}
        servers.append(entry)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"machine": machine(), **settings, "servers": servers}, indent=2) + "\n")
