"""The containers of a copy of the project, with its own project name, ports and volumes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from deploy.containers.images import read_images
from deploy.local.processes import free_port
from shared.db.engine import make_engine
from tests.system.conftest import Insee

ROOT = Path(__file__).parents[2]
# An import of a minute and a half at the public quota.
ESTABLISHMENTS = 45_000
REQUESTS_PER_MINUTE = 30
BUILD = "a-build"
_COPIED = ("compose.yaml", "Makefile", "deploy", "shared", "services", "requirements")


@dataclass(frozen=True)
class Stack:
    folder: Path
    ports: dict[str, int]

    def make(self, *arguments: str, seconds: float = 300) -> str:
        """Run `make` and return its output; its failure fails the test."""
        result = subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        if result.returncode != 0:
            pytest.fail(f"make {' '.join(arguments)}:\n{result.stdout}{result.stderr}")
        return result.stdout

    def compose(self, *arguments: str) -> str:
        result = subprocess.run(
            ["docker", "compose", "--profile", "*", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command of ./sirenade in a container, beside the test."""
        return subprocess.Popen(
            ["docker", "compose", "run", "--rm", "--no-deps", "-T", "sirenade", *command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def change(self, **settings: object) -> None:
        """Append settings to `.env`; the last line of a name wins."""
        with (self.folder / ".env").open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def health(self, service: str) -> list[str]:
        return self.compose("ps", service, "--format", "{{.Health}}").split()

    def secret(self, name: str) -> str:
        return (self.folder / ".secrets" / name).read_text().strip()

    @property
    def environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SIRENADE_U", "SIRENADE_G", "SIRENADE_V", "COMPOSE_"))
        }
        return {
            **inherited,
            "COMPOSE_PROJECT_NAME": "sirenade-test",
            # The tag of the images, and the version that they tell; `make init` notes it in .env.
            "SIRENADE_BUILD": BUILD,
        }

    @property
    def insee(self) -> Insee:
        return Insee(f"http://127.0.0.1:{self.ports['SIMULATOR_PORT']}")


@pytest.fixture(scope="session")
def _engine_answers() -> None:
    try:
        answer = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.exit("these tests need Docker, and it is not installed", returncode=2)
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines()[-1:]
        pytest.exit(f"these tests need a Docker engine, and none answers: {said}", returncode=2)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, _engine_answers: None) -> Iterator[Stack]:
    """Set the project up and build its images, without a start."""
    folder = tmp_path_factory.mktemp("containers")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    names = ("POSTGRES", "RABBITMQ", "RABBITMQ_MANAGEMENT", "SIMULATOR")
    stack = Stack(folder, {f"{name}_PORT": free_port() for name in names})
    stack.make("init", "DEMO=1")
    stack.change(
        **stack.ports,
        COMPOSE_PROFILES="demo",
        SIMULATOR_ESTABLISHMENTS=ESTABLISHMENTS,
        SIMULATOR_REQUESTS_PER_MINUTE=REQUESTS_PER_MINUTE,
    )
    _bring_base_images()
    sizes = stack.make("images", seconds=1800)
    print(f"\n{sizes}")  # noqa: T201  the sizes of images are worth seeing
    yield stack
    stack.compose("down", "--volumes", "--timeout", "20")


def _bring_base_images() -> None:
    """Pull the base images, or make stand-ins where no registry answers."""
    wanted = ("python", "postgres", "rabbitmq")
    for name in (each.reference for each in read_images() if each.name in wanted):
        for command in (("image", "inspect"), ("pull", "--quiet")):
            ran = subprocess.run(["docker", *command, name], capture_output=True, check=False)
            if ran.returncode == 0:
                break
        else:
            made = subprocess.run([ROOT / "tests" / "compose" / "standins.sh"], check=False)
            assert made.returncode == 0, "no registry answers, and stand-ins cannot be made"


@pytest.fixture
def engine(stack: Stack) -> Iterator[Engine]:
    password, port = stack.secret("postgres_password"), stack.ports["POSTGRES_PORT"]
    engine = make_engine(
        f"postgresql://sirenade:{password}@127.0.0.1:{port}/sirenade", application_name="test"
    )
    yield engine
    engine.dispose()
