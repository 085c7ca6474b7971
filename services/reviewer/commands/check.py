"""The command `avis check`: texts from elsewhere in JSON lines, a verdict for each."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from services.reviewer.validation import validate
from shared.controls import shown_json
from shared.inputs import read_lines
from shared.sirene.facts import Facts
from shared.sirene.read_only import read_only
from shared.terminal.cli import say


@read_only
class CallersFacts(Facts):
    """Facts from elsewhere, of which a year alone may be known: `annee`, of place and unit."""

    annee: int | None = None

    @property
    def unite_annee_creation(self) -> int | None:
        day = self.unite_date_creation
        return self.annee if day is None else day.year


_FACTS = TypeAdapter(CallersFacts)


def check(
    file: Annotated[Path, typer.Argument(help="File of JSON lines; - is the standard input.")],
) -> None:
    """Check texts: each line {"facts": {…}, "text": "…"} gets one line with its verdict.

    Example: ./sirenade avis check texts.jsonl
    """
    for verdict in check_lines(read_lines(file, errors="surrogateescape")):
        say(verdict)


def check_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield `{"accepted": …, "reasons": […]}` for a line, `{"error": …}` for a faulty one.

    Blank lines are skipped: answer n belongs to the n-th line that is not blank. Bytes that are not
    UTF-8 are surrogates, as `errors="surrogateescape"` reads them.
    """
    for line in lines:
        if line.strip():
            yield shown_json(json.dumps(_check(line), ensure_ascii=False))


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


def facts_from(values: Mapping[str, Any]) -> CallersFacts:
    """Read the facts. Unknown keys are ignored: callers may add their own.

    `annee` is the year of both establishment and unit, as in the banks of texts; `annee_creation`
    is the establishment's alone. Without a SIRET the two are one, and its place the siège.
    """
    told = {name: value for name, value in values.items() if value not in (None, "")}
    # A number is a text where the field is one: a SIRET, a code.
    told = {name: str(one) if type(one) is int else one for name, one in told.items()}
    told = {"siret": "", "siren": ""} | told
    if told["siret"] == "":
        told = _of_one_place(told)
    if "annee" in told:
        told.setdefault("annee_creation", told["annee"])
        if "date_creation" in told:
            told.setdefault("unite_date_creation", told["date_creation"])
    try:
        facts = _FACTS.validate_python(told)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f'"{place}": {first["msg"]}') from None
    if facts.annee_creation is None and facts.date_creation is not None:
        return replace(facts, annee_creation=facts.date_creation.year)
    return facts


def _of_one_place(told: Mapping[str, Any]) -> dict[str, Any]:
    """Complete facts without a SIRET: nobody told unit and establishment apart."""
    both: dict[str, Any] = {"est_siege": True}
    if "date_creation" in told:
        both["unite_date_creation"] = told["date_creation"]
    if "annee_creation" in told:
        both["annee"] = told["annee_creation"]
    return {**both, **told}
