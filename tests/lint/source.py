"""The project's own modules, as the checks of this folder read them."""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("services", "shared", "deploy", "tests/proofs", "tests/servers")


@dataclass(frozen=True)
class Module:
    path: Path

    @property
    def name(self) -> str:
        """The dotted name, as imports spell it."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""


def modules(*folders: str) -> list[Module]:
    """Return the modules below these folders of the project, sorted by path."""
    return [
        Module(path)
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "versions" not in path.parts
    ]
