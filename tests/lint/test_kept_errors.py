"""No code keeps an exception: its traceback holds every frame that it passed, with their data.

Kept in a local of one of these frames, it is a cycle, and the data (pages, texts, rows) waits for
the collector. What is needed of an exception is kept: a name, a number of seconds.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.lint.source import PRODUCT, modules

# A thread hands its error to the one that waits, which raises it.
_HANDED_OVER = {
    "services/writer/stock/renewers/__main__.py",
    "services/writer/stock/renewers/processes.py",
}
_KEEPERS = {"append", "add", "put", "setdefault", "appendleft"}


def kept_errors(tree: ast.Module) -> Iterator[int]:
    """Yield the lines where an exception is kept, or where one that was kept is raised."""
    raised = {id(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.name is not None:
            for one in (one for each in node.body for one in ast.walk(each)):
                if isinstance(one, ast.stmt | ast.expr) and id(one) not in raised:
                    yield from [one.lineno] if _keeps(one, node.name) else []
        elif isinstance(node, ast.FunctionDef):
            yield from _raised_from_locals(node)


def _keeps(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.NamedExpr(value=value):
            return _holds(value, name)
        case ast.Return(value=value) | ast.Yield(value=value):
            return _holds(value, name)
        case ast.Call(func=ast.Attribute(attr=attribute), args=[*_, ast.Name(id=found)]):
            return attribute in _KEEPERS and found == name
        case ast.Call(func=ast.Name(id=called), args=args, keywords=keywords):
            given = [*args, *(keyword.value for keyword in keywords)]
            return called[0].isupper() and any(_holds(each, name) for each in given)
    return False


def _holds(value: ast.expr | None, name: str) -> bool:
    match value:
        case ast.Name(id=found):
            return found == name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return any(_holds(part, name) for part in parts)
        case ast.IfExp(body=one, orelse=other):
            return _holds(one, name) or _holds(other, name)
    return False


def _raised_from_locals(function: ast.FunctionDef) -> Iterator[int]:
    """Yield the lines that raise what a local holds; a class has a capital, a handler its name."""
    handled = {node.name for node in ast.walk(function) if isinstance(node, ast.ExceptHandler)}
    for node in ast.walk(function):
        if not isinstance(node, ast.Raise):
            continue
        raised = node.exc
        while isinstance(raised, ast.Subscript | ast.Attribute):
            raised = raised.value
        if isinstance(raised, ast.Name) and raised.id.islower() and raised.id not in handled:
            yield node.lineno


def test_no_exception_is_kept() -> None:
    found = [
        f"{module.name}:{line}"
        for module in modules(*PRODUCT)
        if not any(str(module.path).endswith(path) for path in _HANDED_OVER)
        for line in kept_errors(module.tree)
    ]
    assert not found


@pytest.mark.parametrize(
    "code",
    [
        "failure = error",
        "self.failure = error",
        "return error",
        "return None, error",
        "failures.append(error)",
        "last = error if late else None",
        "return Attempts((), slow_down=error)",
    ],
)
def test_a_handler_that_keeps_its_exception_is_found(code: str) -> None:
    source = f"def work():\n  try:\n    go()\n  except OSError as error:\n    {code}\n"
    assert list(kept_errors(ast.parse(source))) == [5]


@pytest.mark.parametrize("code", ["raise failure", "raise failures[-1]", "raise result.failure"])
def test_a_kept_exception_that_is_raised_is_found(code: str) -> None:
    assert list(kept_errors(ast.parse(f"def work():\n  {code}\n"))) == [2]


@pytest.mark.parametrize(
    "code", ["raise", "raise error", "raise Late(str(error)) from error", "name = name_of(error)"]
)
def test_a_handler_that_tells_and_raises_is_none(code: str) -> None:
    source = f"def work():\n  try:\n    go()\n  except OSError as error:\n    {code}\n"
    assert list(kept_errors(ast.parse(source))) == []
