"""The manifests of Kubernetes: files of the base and of components, and overlays as applied."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[4] / "deploy" / "kubernetes"
BASE, COMPONENTS = ROOT / "base", ROOT / "components"
OVERLAYS = sorted(path.name for path in (ROOT / "overlays").iterdir())
SERVICES = {"fetcher", "writer", "reviewer", "operator", "portal", "indexer"}
JOBS = {"roles", "migrate"}
# The version of the overlays, for a person to change.
VERSION = "1.0.0"
COMMANDS = {"command", "backup", "drill", "erasures", "stock"}

# Each policy of the network with the pods that it is for.
POLICIES = {
    "nothing": SERVICES | JOBS | COMMANDS,
    "metrics": SERVICES,
    "database": SERVICES | JOBS | COMMANDS,
    "broker": {"fetcher", "writer", "reviewer", "command"},
    "internet": {"fetcher", "reviewer", "operator", "indexer"} | COMMANDS,
    "readers": {"portal"},
}


def documents(path: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


def built(overlay: str, root: Path = ROOT) -> str:
    """Return the overlay as it would be applied."""
    for program in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(program[0]):
            command = [*program, str(root / "overlays" / overlay)]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pytest.fail("neither kubectl nor kustomize is installed: install one of them", pytrace=False)


def pod_of(document: dict[str, Any]) -> dict[str, Any] | None:
    """Return the template of the pods of a Deployment, Job or CronJob; None for anything else."""
    spec = document.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    template: dict[str, Any] | None = spec.get("template")
    return template


def containers(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the containers of a manifest, whatever it is of."""
    if isinstance(node, dict):
        yield from node.get("containers", [])
        yield from node.get("initContainers", [])
        for each in node.values():
            yield from containers(each)
