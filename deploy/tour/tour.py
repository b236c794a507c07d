#!/usr/bin/env python3
"""Runs every command of the README's quick start and checks that it prints what is shown there.

A fenced block that opens with ```console holds commands, each after "$ ", and below each what it prints. In what is shown, "…" stands for
anything within a line, and a line of "…" alone for any number of lines. A command that ends in "&" runs until the end, and its shown lines are
waited for. A shown last line "exit N" says how a command ends; without it that is 0.

A command that only looks (`vigie models`) is asked again for a while until it prints what is shown: a server takes a moment to take notice.
With --write the document is given what was printed instead, with "…" for what differs from run to run, and in the place of as many lines as before.

The server works on a copy of models/ and on ports of its own choosing; in its output they are shown as the ones that the README names.
"""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENT = PROJECT / "README.md"
PATIENCE_SECONDS = 900
"""For the first command, which builds; the others take moments."""

LOOKS = ("target/release/vigie models",)
LOOK_SECONDS = 30

VOLATILE = [
    (r"\d+ (s|min|m) ago", "… ago"),
    (r"just now", "…"),
    (r"reproduced within [\d.e-]+", "reproduced within …"),
    (r"in [\d.]+ s, [\d.]+ a second", "in … s, … a second"),
    (r"agrees on .* (lists|list) them\)", "agrees on …"),
]
"""What differs from run to run, and how it is shown."""

SHOWN_PORTS = {"grpc": "8001", "admin": "8002"}


@dataclass
class Command:
    line: str
    """Its line in the document."""
    number: int
    shown: list[str] = field(default_factory=list)

    @property
    def in_background(self) -> bool:
        return self.line.endswith("&")


def commands(document: str) -> list[Command]:
    """Every command of every console block, in order."""
    found: list[Command] = []
    inside = False
    for number, line in enumerate(document.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and line.startswith("$ "):
            found.append(Command(line[2:], number))
        elif inside and found:
            found[-1].shown.append(line)
    return found


def difference(shown: list[str], printed: list[str]) -> str | None:
    """Where what was printed departs from what is shown; None where it does not."""
    pattern = "".join(r"(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n" for line in shown)
    if re.fullmatch(pattern, "".join(line + "\n" for line in printed)):
        return None
    return "shown:\n" + "\n".join(f"    {line}" for line in shown) + "\nprinted:\n" + "\n".join(f"    {line}" for line in printed)


class Tour:
    def __init__(self, folder: Path):
        self.folder = folder
        self.ports: dict[str, str] = {}
        self.background: list[subprocess.Popen] = []
        # Neither a reader's own settings nor the arguments of the make that runs this tour are those of the commands.
        strange = ("VIGIE_", "OTEL_", "MAKE", "MFLAGS", "ARGS")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        self.environment |= {
            "VIGIE_REPOSITORY": str(folder / "models"),
            "VIGIE_DATA": str(folder / "data"),
            "VIGIE_GRPC__ADDRESS": "127.0.0.1:0",
            "VIGIE_ADMIN__ADDRESS": "127.0.0.1:0",
            "NO_COLOR": "1",
            "COLUMNS": "140",
        }

    def as_shown(self, line: str) -> str:
        for name, port in self.ports.items():
            line = line.replace(f"127.0.0.1:{port}", f"127.0.0.1:{SHOWN_PORTS[name]}")
        return line.rstrip()

    def as_run(self, line: str) -> str:
        for name, port in self.ports.items():
            line = line.replace(f"127.0.0.1:{SHOWN_PORTS[name]}", f"127.0.0.1:{port}")
        return line

    def run(self, command: Command) -> str | None:
        if command.in_background:
            return self.run_in_background(command)
        until = time.monotonic() + (LOOK_SECONDS if command.line.startswith(LOOKS) else 0)
        while (trouble := self.run_to_its_end(command)) is not None and time.monotonic() < until:
            time.sleep(0.5)
        return trouble

    def run_to_its_end(self, command: Command) -> str | None:
        shown, code = list(command.shown), 0
        while shown and not shown[-1]:
            shown.pop()
        if shown and (ended := re.fullmatch(r"exit (\d+)", shown[-1])):
            shown, code = shown[:-1], int(ended[1])
        printed, ended_with = self.output(command)
        if ended_with != code:
            return f"ended with {ended_with} instead of {code}:\n" + "\n".join(printed)
        return difference(shown, printed)

    def output(self, command: Command) -> tuple[list[str], int]:
        done = subprocess.run(
            ["bash", "-c", self.as_run(command.line)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        printed = [self.as_shown(line) for line in done.stdout.splitlines()]
        while printed and not printed[-1]:
            printed.pop()
        return printed, done.returncode

    def shown_anew(self, command: Command) -> list[str]:
        """What the document is to show for a command."""
        if command.in_background:
            if trouble := self.run_in_background(command):
                raise SystemExit(f"{command.line}\n{trouble}")
            return command.shown
        if command.line.startswith(LOOKS):
            time.sleep(LOOK_SECONDS / 2)
        printed, code = self.output(command)
        for pattern, shown in VOLATILE:
            printed = [re.sub(pattern, shown, line) for line in printed]
        printed += [f"exit {code}"] if code else []
        if "…" in command.shown:
            before = command.shown.index("…")
            after = len(command.shown) - before - 1
            printed = printed[:before] + ["…"] + printed[len(printed) - after :]
        return printed

    def run_in_background(self, command: Command) -> str | None:
        process = subprocess.Popen(
            ["bash", "-c", "exec " + command.line.removesuffix("&")],
            cwd=PROJECT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            text=True,
            start_new_session=True,
        )
        self.background.append(process)
        lines: queue.Queue[str | None] = queue.Queue()

        def read() -> None:
            for line in process.stdout:
                lines.put(line.rstrip())
            lines.put(None)

        threading.Thread(target=read, daemon=True).start()
        printed: list[str] = []
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            if difference(command.shown, printed) is None:
                return None
            try:
                line = lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return "not in time; " + (difference(command.shown, printed) or "")
            if line is None:
                return f"ended; {difference(command.shown, printed)}"
            if bound := re.search(r"\b(grpc|admin) +127\.0\.0\.1:(\d+)", line):
                self.ports[bound[1]] = bound[2]
                if bound[1] == "grpc":
                    self.environment["VIGIE_SERVER"] = f"127.0.0.1:{bound[2]}"
            printed.append(self.as_shown(line))

    def end(self) -> list[str]:
        """Stops what runs in the background; says what did not stop well."""
        troubles = []
        for process in self.background:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                code = process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
                troubles.append("the server did not stop within 30 s")
            if code not in (0, -signal.SIGTERM, 2):
                troubles.append(f"the server ended with {code}")
        return troubles


def rewritten(document: str, anew: dict[int, tuple[Command, list[str]]]) -> str:
    """The document with other lines below its commands; `anew` is by the line that the command stands on."""
    lines, number, out = document.splitlines(), 1, []
    while number <= len(lines):
        out.append(lines[number - 1])
        if number in anew:
            command, shown = anew[number]
            out += shown
            number += len(command.shown)
        number += 1
    return "\n".join(out) + "\n"


def main() -> int:
    write = sys.argv[1:] == ["--write"]
    steps = commands(DOCUMENT.read_text(encoding="utf-8"))
    if not steps:
        print("README.md shows no commands: nothing to check", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="vigie-tour-") as name:
        folder = Path(name)
        shutil.copytree(PROJECT / "models", folder / "models", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "tests").symlink_to(PROJECT / "tests")
        (folder / "target").symlink_to(PROJECT / "target")
        tour, troubles, anew = Tour(folder), [], {}
        try:
            for step in steps:
                began = time.monotonic()
                if write:
                    anew[step.number] = (step, tour.shown_anew(step))
                    continue
                trouble = tour.run(step)
                print(f"{'ok ' if trouble is None else 'NOT'} {time.monotonic() - began:6.1f} s  $ {step.line}", flush=True)
                if trouble is not None:
                    troubles.append(f"README.md:{step.number}: {step.line}\n{trouble}")
                    break
        finally:
            troubles += tour.end()
    if write:
        DOCUMENT.write_text(rewritten(DOCUMENT.read_text(encoding="utf-8"), anew), encoding="utf-8")
        return 0
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    print(f"{len(steps)} commands of README.md " + ("print what is shown there" if not troubles else "checked: see above"))
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
