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

    `annee` is the year of both establishment and unit where the place is the siège, else of the
    establishment alone, as `annee_creation` is. Without a SIRET the place is the siège, if nobody
    says that it is not.
    """
    told = {name: value for name, value in values.items() if value not in (None, "")}
    # A number is a text where the field is one: a SIRET, a code.
    told = {name: str(one) if type(one) is int else one for name, one in told.items()}
    told = {"siret": "", "siren": ""} | told
    if told["siret"] == "":
        told.setdefault("est_siege", True)
    try:
        facts = _FACTS.validate_python(told)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f'"{place}": {first["msg"]}') from None
    return _with_years(facts)


def _with_years(facts: CallersFacts) -> CallersFacts:
    """Complete the years: those of a siège, or of facts without a SIRET, are the unit's too."""
    one_year = facts.est_siege and (facts.annee is not None or facts.siret == "")
    day, unit_day = facts.date_creation, facts.unite_date_creation
    years = (facts.annee_creation, facts.annee, None if day is None else day.year)
    return replace(
        facts,
        annee_creation=next((year for year in years if year is not None), None),
        annee=next((year for year in (facts.annee, facts.annee_creation) if year), None)
        if one_year
        else None,
        unite_date_creation=day if one_year and unit_day is None else unit_day,
    )
