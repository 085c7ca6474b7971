"""Every module stands in a room of its subject, and its tests are found by its path."""

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

from tests.lint.source import PRODUCT, ROOT, modules

_MOST_MODULES = 16
# Folders of tests whose source does not stand at the same path from the root.
_SOURCES = {
    "benchmarks": "tests/benchmarks",
    "proofs": "tests/proofs",
    "servers": "tests/servers",
    "shared": "shared",
    "deploy": "deploy",
}
# deploy.containers runs before there is an environment, with the standard library alone.
_OUTSIDE_THE_TREE = "deploy.containers"


def test_no_folder_of_product_code_holds_more_than_16_modules() -> None:
    count = Counter(
        module.path.parent for module in modules(*PRODUCT) if module.path.name != "__init__.py"
    )
    full = {str(folder): number for folder, number in count.items() if number > _MOST_MODULES}
    assert not full


def test_every_folder_of_tests_mirrors_a_room() -> None:
    strays = []
    for kind in ("unit", "integration"):
        root = ROOT / "tests" / kind
        for folder in sorted({path.parent for path in root.rglob("test_*.py")} - {root}):
            first, *rest = folder.relative_to(root).parts
            source = ROOT / _SOURCES.get(first, f"services/{first}") / Path(*rest)
            if not source.is_dir():
                strays.append(str(folder.relative_to(ROOT)))
    assert not strays


def test_every_module_that_calls_itself_pure_is_under_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (pure,) = [
        set(contract["source_modules"])
        for contract in contracts["contracts"]
        if contract["name"].startswith("pure modules")
    ]
    claimed = {
        module.name
        for module in modules("services", "shared")
        if re.search(r"\bpure\b", module.docstring, re.IGNORECASE)
    }
    outside = {name for name in claimed if not any((name + ".").startswith(p + ".") for p in pure)}
    assert not outside


def test_every_error_is_in_the_one_tree() -> None:
    bases: dict[str, list[str]] = {}
    for module in modules(*PRODUCT):
        if module.name.startswith(_OUTSIDE_THE_TREE):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [ast.unparse(base).split(".")[-1] for base in node.bases]

    def ancestors(name: str) -> set[str]:
        return {name}.union(*(ancestors(base) for base in bases.get(name, ())))

    errors = {name for name in bases if ancestors(name) & {"Exception", "ValueError", "OSError"}}
    assert {name for name in errors if "SirenadeError" not in ancestors(name)} == set()


def test_only_entry_points_read_the_environment() -> None:
    """`shared.settings.load` reads it, for the composition of a service and for its commands."""
    readers = {
        module.name
        for module in modules("services")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "shared.settings"
        and any(alias.name == "load" for alias in node.names)
    }
    entries = re.compile(r"\.(main|__main__|connections)$|command")
    assert {name for name in readers if not entries.search(name)} == set()
    raw = [
        module.name
        for module in modules("services", "shared")
        if re.search(r"os\.(environ|getenv)", module.text)
    ]
    assert raw == ["services.dispatch", "shared.settings"]


def test_a_class_name_means_one_thing() -> None:
    names = Counter(
        node.name
        for module in modules(*PRODUCT)
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, number in names.items() if number > 1] == []


def test_a_module_is_named_by_a_noun() -> None:
    """The field's own terms may be gerunds."""
    terms = {"encoding", "folding", "grounding", "masking", "sharding", "staging"}
    gerunds = {
        module.name
        for module in modules(*PRODUCT)
        if module.path.stem.endswith("ing") and module.path.stem not in terms
    }
    assert gerunds == set()
