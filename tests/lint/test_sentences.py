"""A docstring or a comment begins with its subject, or with an imperative."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.lint.source import Module, modules

# A clause that begins with one of these has no subject yet: a reader looks for it.
_OPENINGS = frozenset(
    [
        "Of",
        "What",
        "Those",
        "Whose",
        "So",
        "Which",
        "Whether",
        "Who",
        "How",
        "Where",
        "When",
        "As",
        "For",
        "By",
        "From",
        "To",
        "With",
        "Not",
    ]
)
_RIDDLES = re.compile(r"\bso many\b", re.IGNORECASE)


def sentences(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring, also of a value, and block of comments."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(docstring))):
                yield node.lineno, docstring.strip()
    before = -1
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type != tokenize.COMMENT or token.line.strip() != token.string:
            continue
        line, text = token.start[0], token.string.lstrip("# ")
        if line != before + 1:
            yield line, text
        before = line


@pytest.mark.parametrize("folder", ["services", "shared", "deploy", "tests"])
def test_sentences_begin_with_their_subject(folder: str) -> None:
    found = [
        f"{module.path}:{line}: {text[:60]!r}"
        for module in modules(folder)
        for line, text in sentences(module)
        if text.split(" ")[0] in _OPENINGS or _RIDDLES.search(text)
    ]
    assert not found, "\n".join(found)
