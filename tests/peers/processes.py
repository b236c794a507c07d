"""Started servers: on their core, in their own environment, told apart from everything else that runs, and ended for certain."""

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

MARK = "VIGIE_PEERS_SERVER"
"""A variable whose value every process of a server inherits: some put their workers into sessions of their own, where no process group finds them."""

STOP_SECONDS = 10
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Died(Exception):
    """A server that ended, or never answered; with its last words."""


class Started:
    """One server and all its processes."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path, core: int):
        self._mark = secrets.token_hex(8)
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                ["taskset", "--cpu-list", str(core), *command],
                env={**os.environ, **environment, MARK: self._mark},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    def check(self) -> None:
        """Raises where the server has ended."""
        code = self._process.poll()
        if code is not None:
            raise Died(f"it ended with {code}: {self.last_words()}")

    def output(self) -> list[str]:
        """What it has said so far."""
        return self._log.read_text(errors="replace").splitlines()

    def last_words(self) -> str:
        """Its last line of output, and where the others are."""
        lines = [line.strip() for line in self.output() if line.strip()]
        return f"{lines[-1][:160] if lines else 'it said nothing'} (all of it: {self._log})"

    def cpu_seconds(self) -> float:
        """Processor time of all its processes that still run."""
        ticks = 0
        for process in self._processes():
            try:
                # After the command's name, which may hold anything: user time is field 14 of the line, system time 15.
                fields = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS_A_SECOND

    def memory(self) -> int:
        """Bytes of memory of all its processes, what they share counted once."""
        total = 0
        for process in self._processes():
            try:
                lines = (process / "smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        return total

    def stop(self) -> None:
        """Asks it to end, and ends what is left of it after a while."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        deadline = time.monotonic() + STOP_SECONDS
        while (left := self._processes()) and time.monotonic() < deadline:
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(process.name), signal.SIGKILL)
            time.sleep(0.05)
        self._process.wait()

    def _processes(self) -> list[Path]:
        wanted = f"{MARK}={self._mark}".encode()
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdecimal():
                try:
                    if wanted in (process / "environ").read_bytes().split(b"\0"):
                        found.append(process)
                except OSError:
                    continue
        return found


def end_with_parent() -> None:
    """Has the kernel end this process when the benchmark is gone, even where it was killed; called between fork and exec, which keeps it."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_ports(count: int) -> list[int]:
    """So many ports of the loopback address that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
