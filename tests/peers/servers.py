"""The servers that are compared: how each is started and how each is asked. How each is configured lies in the folder of its name."""

import importlib.metadata
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .load import Asker, grpc_asker, http_asker
from .processes import Died, Started, free_ports
from .questions import Questions

PROJECT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
RUNTIME = PROJECT / ".runtime/peers"


@dataclass(frozen=True)
class House:
    """Where a run of the benchmark happens."""

    exported: Path
    """Holds model.onnx, pictures/ and models/, as the Rust benchmark's `export` leaves them."""
    scratch: Path
    """Removed at the end."""
    logs: Path
    core: int
    decode: str
    """Whether the peers decode pictures at full size."""

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> Started:
        folder = self.scratch / name
        folder.mkdir()
        return Started(command, environment, folder, self.logs / f"{name}.log", self.core)

    def start_peer(self, name: str, arguments: list[str], environment: dict[str, str]) -> Started:
        """Starts a program of a peer's own environment, with the classifier that all peers share."""
        path = {"PYTHONPATH": str(HERE / "shared")}
        return self.start(name, [str(RUNTIME / name / "bin/python"), *arguments], {**self.classifier(), **path, **environment})

    def classifier(self) -> dict[str, str]:
        """The environment that the shared classifier reads."""
        return {"PEERS_MODEL": str(self.exported / "model.onnx"), "PEERS_DECODE": self.decode}


Find = Callable[[], Asker | None]
"""Gives who asks the server; None while it has not said yet where it listens."""


@dataclass(frozen=True)
class Server:
    name: str
    title: str
    protocol: str
    package: str | None
    """Of PyPI; None for Vigie."""
    start: Callable[[House, Questions], tuple[Started, Find]]

    def version(self) -> str:
        if self.package is None:
            return ""
        return next((found.version for found in importlib.metadata.distributions(name=self.package, path=[str(packages(self.name))])), "")

    def missing(self) -> str | None:
        """Why it cannot be started; None where it can."""
        if self.package is None:
            program = PROJECT / "target/release/vigie"
            return None if program.exists() else f"{program} is not there: run make build"
        if (RUNTIME / self.name / ".complete").exists():
            return None
        said = RUNTIME / f"{self.name}.log"
        lines = said.read_text(errors="replace").splitlines() if said.exists() else []
        # First what pip complains of, then what the set-up says of it.
        errors = [line.partition(":")[2].strip()[:160] for line in lines if line.lower().startswith("error:")]
        return f"not installed: {errors[0] if errors else 'nothing is known of a try'}; to try again: deploy/setup/setup.sh peer {self.name}"


def packages(name: str) -> Path:
    """Where the packages of a peer's environment lie; it is made by the Python that runs this."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(RUNTIME / name)}))


def vigie(house: House, questions: Questions) -> tuple[Started, Find]:
    program = PROJECT / "target/release/vigie"
    places = ["--repository", str(house.exported / "models"), "--data", str(house.scratch / "vigie-data")]
    addresses = ["--grpc", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    # The pictures come again and again; each is looked at anew, as the peers do.
    environment = {"VIGIE_KNOWN__MEMORY": "0 B", "VIGIE_TELEMETRY__LOG_FILTER": "warn"}
    started = house.start("vigie", [str(program), "serve", *places, *addresses], environment)

    def find() -> Asker | None:
        lines = started.output()
        address = next((line.split()[1] for line in lines if line.startswith("grpc ")), None)
        if address is None or "ready" not in lines:
            return None
        return grpc_asker(address, "/vigie.v1.AdSafety/Classify", questions.classify, questions.scores)

    return started, find


def mlserver(house: House, questions: Questions) -> tuple[Started, Find]:
    http, grpc = free_ports(2)
    environment = {"MLSERVER_HTTP_PORT": str(http), "MLSERVER_GRPC_PORT": str(grpc)}
    # The command `mlserver`, which this environment has no script for.
    command = ["-c", "from mlserver.cli import main; main()", "start", str(HERE / "mlserver")]
    return house.start_peer("mlserver", command, environment), lambda: infer_asker(grpc, questions)


def litserve(house: House, questions: Questions) -> tuple[Started, Find]:
    (port,) = free_ports(1)
    started = house.start_peer("litserve", [str(HERE / "litserve/serve.py")], {"PEERS_PORT": str(port)})
    return started, lambda: http_asker(port, "/predict", questions.pictures, questions.json_logits)


def bentoml(house: House, questions: Questions) -> tuple[Started, Find]:
    (port,) = free_ports(1)
    environment = {"BENTOML_HOME": str(house.scratch / "bentoml-home"), "BENTOML_DO_NOT_TRACK": "True"}
    command = ["-m", "bentoml", "serve", "service:AdSafety", "--working-dir", str(HERE / "bentoml")]
    started = house.start_peer("bentoml", [*command, "--host", "127.0.0.1", "--port", str(port)], environment)
    return started, lambda: http_asker(port, "/classify", questions.pictures, questions.json_logits)


def triton(house: House, questions: Questions) -> tuple[Started, Find]:
    """The server that PyTriton ships, without PyTriton: as its users start it, a Python model in a repository."""
    (port,) = free_ports(1)
    server = packages("triton") / "pytriton/tritonserver"
    # The part of the Python backend that runs the model exists once a version of Python, and is looked for beside the backend.
    backends = house.scratch / "triton-backends"
    shutil.copytree(server / "backends", backends)
    stub = server / f"python_backend_stubs/{sys.version_info.major}.{sys.version_info.minor}/triton_python_backend_stub"
    if not stub.exists():
        raise Died(f"nvidia-pytriton has nothing for Python {sys.version_info.major}.{sys.version_info.minor}: try another python3")
    shutil.copy(stub, backends / "python")
    libraries = [packages("triton") / "nvidia_pytriton.libs", sysconfig.get_config_var("LIBDIR"), os.environ.get("LD_LIBRARY_PATH", "")]
    environment = {
        **house.classifier(),
        "PEERS_SHARED": str(HERE / "shared"),
        # It looks for python3 there, whose packages it then sees; PYTHONPATH it does not heed.
        "PATH": f"{RUNTIME / 'triton/bin'}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
    }
    options = [
        f"--model-repository={HERE / 'triton'}",
        f"--backend-directory={backends}",
        f"--backend-config=python,shm-region-prefix-name=vigie-peers-{os.getpid()}",
        "--grpc-address=127.0.0.1",
        f"--grpc-port={port}",
        "--allow-http=false",
        "--allow-metrics=false",
    ]
    return house.start("triton", [str(server / "bin/tritonserver"), *options], environment), lambda: infer_asker(port, questions)


def infer_asker(port: int, questions: Questions) -> Asker:
    return grpc_asker(f"127.0.0.1:{port}", "/inference.GRPCInferenceService/ModelInfer", questions.infer, questions.raw_logits)


SERVERS = (
    Server("vigie", "Vigie", "gRPC", None, vigie),
    Server("mlserver", "MLServer", "gRPC", "mlserver", mlserver),
    Server("litserve", "LitServe", "HTTP", "litserve", litserve),
    Server("bentoml", "BentoML", "HTTP", "bentoml", bentoml),
    Server("triton", "Triton (of PyTriton)", "gRPC", "nvidia-pytriton", triton),
)
