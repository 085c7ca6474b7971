"""Every HTTP request leaves through `shared.http`, where deadline and bounds are."""

import ast

from tests.lint.source import ROOT, modules

_LIBRARIES = ("aiohttp", "http.client", "httpx", "requests", "urllib.request", "urllib3")
# It asks its own container, in images without an HTTP library too.
_ALLOWED = {("shared.runtime.health", "http.client")}


def _imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_other_module_imports_an_http_library() -> None:
    strays = {
        (module.name, library)
        for module in modules("services", "shared", "deploy")
        if not module.name.startswith("shared.http.")
        for library in _LIBRARIES
        if any(f"{each}.".startswith(f"{library}.") for each in _imported(module.tree))
    }
    assert strays == _ALLOWED


def test_the_dispatcher_sends_no_request() -> None:
    text = (ROOT / "sirenade").read_text("utf-8")
    assert not any(library in text for library in _LIBRARIES)
