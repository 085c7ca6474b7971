"""An image holds the packages that its service imports, and no others."""

import ast
import re
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from sys import stdlib_module_names

import pytest

from tests.unit.deploy.compose_files import services

ROOT = Path(__file__).parents[3]
SERVICES = ("fetcher", "writer", "reviewer", "operator", "portal", "simulator")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")

# Commands import these, and run from the image `sirenade`.
ONLY_FOR_COMMANDS = {
    "services.writer.commands.kept_erasures",
    "services.writer.commands.restore",
    "services.writer.restore.drill",
    "services.writer.stock",
    "services.reviewer.commands.report",
    "services.simulator.register.stock_files",
}


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z]+\])?==([^ ]+)", text, re.MULTILINE))


def _file(module: str) -> Path | None:
    place = ROOT / Path(*module.split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in candidates if path.exists()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def closure(service: str) -> tuple[set[str], set[str]]:
    """Return our modules, and the top-level names of others, that the service may import."""
    ours: set[str] = set()
    others: set[str] = set()
    waiting = [f"services.{service}.__main__", f"services.{service}.main", "shared.runtime.health"]
    if service == "operator":
        # Alembic loads these by path.
        versions = (ROOT / "shared/db/migrations/versions").glob("*.py")
        waiting += [f"shared.db.migrations.versions.{path.stem}" for path in versions]
    while waiting:
        module = waiting.pop()
        if module in ours or any(module.startswith(each) for each in ONLY_FOR_COMMANDS):
            continue
        if module.partition(".")[0] not in {"shared", "services", "deploy"}:
            others.add(module.partition(".")[0])
        elif (path := _file(module)) is not None:
            ours.add(module)
            waiting += _imports(ast.parse(path.read_text(encoding="utf-8")))
    return ours, others - stdlib_module_names


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_all_that_its_service_imports(service: str) -> None:
    _, others = closure(service)
    providers = packages_distributions()
    held = {name.replace("_", "-") for name in pins(service)}
    lacking = {
        module
        for module in others
        if not {distribution(each).name.lower().replace("_", "-") for each in providers[module]}
        & held
    }
    assert lacking == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_only_shared_and_itself(service: str) -> None:
    ours, _ = closure(service)
    assert {
        module for module in ours if not module.startswith((f"services.{service}", "shared"))
    } == set()


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_is_given_only_shared_and_its_own_service(service: str) -> None:
    stages = dict(
        re.findall(r"^FROM service AS (\w+)\n((?:(?!FROM ).*\n?)*)", DOCKERFILE, re.MULTILINE)
    )
    copied = re.findall(r"COPY --from=sources (\S+)", stages[service])
    assert copied == [f"/app/services/{service}"]
    assert f"--from={service}-packages" in stages[service]


@pytest.mark.parametrize("service", ["fetcher", "writer", "reviewer", "operator", "portal"])
def test_an_image_knows_its_version_so_that_a_deploy_is_seen(service: str) -> None:
    stage = re.split(rf"^FROM service AS {service}$", DOCKERFILE, flags=re.MULTILINE)[1]
    assert "ENV SIRENADE_VERSION=${SIRENADE_BUILD}" in stage.partition("FROM ")[0]
    container = services()[service]
    assert container["build"]["args"] == {"SIRENADE_BUILD": ""}
    # A name without a value would take it from the image.
    assert "SIRENADE_VERSION" not in container["environment"]


def test_the_writer_has_no_http_client() -> None:
    assert {"requests", "urllib3", "httpx", "aiohttp"} & pins("writer").keys() == set()


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_has_the_versions_that_are_tested(service: str) -> None:
    whole = pins("runtime")
    assert pins(service).items() <= whole.items()


def test_the_dockerfile_needs_no_frontend_from_a_registry_and_runs_nothing_as_root() -> None:
    assert "# syntax=" not in DOCKERFILE
    stages = re.split(r"^FROM .* AS (\w+)$", DOCKERFILE, flags=re.MULTILINE)
    users = {
        name: re.findall(r"^USER (.*)$", stage, re.MULTILINE)
        for name, stage in zip(stages[1::2], stages[2::2], strict=True)
    }
    assert users["service"] == ["10001:10001"]
    for name in (*SERVICES, "migrate"):
        assert users[name] == []
    assert users["sirenade"][-1] == "10001:10001"
