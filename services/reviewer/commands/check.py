"""The command `avis check`: texts from elsewhere in JSON lines, a verdict for each."""

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from services.reviewer.validation import validate
from shared.errors import UserError
from shared.sirene.facts import Facts

_OTHERS = {"annee_creation", "date_creation", "est_siege"}
_TEXTS = [field.name for field in fields(Facts) if field.name not in _OTHERS]


def check(
    file: Annotated[Path, typer.Argument(help="File of JSON lines; - is the standard input.")],
) -> None:
    """Check texts: each line {"facts": {…}, "text": "…"} gets one line with its verdict.

    Example: ./sirenade avis check texts.jsonl
    """
    source = Path("/dev/stdin") if str(file) == "-" else file
    try:
        lines = source.open(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from None
    with lines:
        for verdict in check_lines(lines):
            typer.echo(verdict)


def check_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield `{"accepted": …, "reasons": […]}` for a line, `{"error": …}` for a faulty one.

    Blank lines are skipped: answer n belongs to the n-th line that is not blank. Bytes that are not
    UTF-8 are surrogates, as `errors="surrogateescape"` reads them.
    """
    for line in lines:
        if line.strip():
            yield json.dumps(_check(line), ensure_ascii=False)


def _check(line: str) -> dict[str, object]:
    try:
        text, facts = _parse(line)
    except ValueError as error:
        return {"error": str(error)}
    verdict = validate(text, facts)
    return {"accepted": verdict.accepted, "reasons": list(verdict.reasons)}


def _parse(line: str) -> tuple[str, Facts]:
    try:
        line.encode()
        request = json.loads(line)
    except UnicodeEncodeError:
        raise ValueError("not UTF-8") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(request, dict) or not isinstance(request.get("text"), str):
        raise ValueError('expected {"facts": {…}, "text": "…"}')  # noqa: TRY004 one error type for a bad line
    values = request.get("facts")
    if not isinstance(values, dict):
        raise ValueError('"facts" must be an object')  # noqa: TRY004 the same
    return request["text"], facts_from(values)


def facts_from(values: Mapping[str, Any]) -> Facts:
    """Read the facts. Unknown keys are ignored: callers may add their own."""
    if _text(values, "nom") is None:
        raise ValueError('"nom" is missing')
    annee = _text(values, "annee") or _text(values, "annee_creation")
    if annee is not None and re.fullmatch(r"\d{4}", annee) is None:
        raise ValueError(f'"annee" must be a year, not {annee!r}')
    day = _text(values, "date_creation")
    texts: dict[str, Any] = {name: _text(values, name) for name in _TEXTS}
    return Facts(
        **(texts | {name: texts[name] or "" for name in ("siret", "siren")}),
        annee_creation=None if annee is None else int(annee),
        date_creation=None if day is None else _date(day),
        est_siege=values.get("est_siege") is True,
    )


def _date(value: str) -> dt.date:
    try:
        return dt.date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f'"date_creation" must be a date, not {value!r}') from error


def _text(values: Mapping[str, Any], field: str) -> str | None:
    value = values.get(field)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f'"{field}" must be a text')  # noqa: TRY004 the same
    return str(value)
