"""The command `avis check`: texts from elsewhere in JSON lines, a verdict for each."""

import datetime as dt
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.reviewer.validation import validate
from shared.sirene.facts import Facts


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
    text = functools.partial(_text, values)
    nom = text("nom")
    if nom is None:
        raise ValueError('"nom" is missing')
    annee = text("annee") or text("annee_creation")
    if annee is not None and re.fullmatch(r"\d{4}", annee) is None:
        raise ValueError(f'"annee" must be a year, not {annee!r}')
    return Facts(
        siret=text("siret") or "",
        siren=text("siren") or "",
        nom=nom,
        forme=text("forme"),
        categorie_juridique=text("categorie_juridique"),
        activite=text("activite"),
        activite_code=text("activite_code"),
        nomenclature=text("nomenclature"),
        commune=text("commune"),
        code_commune=text("code_commune"),
        departement=text("departement"),
        annee_creation=None if annee is None else int(annee),
        date_creation=_date(text("date_creation")),
        tranche_effectifs=text("tranche_effectifs"),
        effectif=text("effectif"),
        est_siege=values.get("est_siege") is True,
        sigle=text("sigle"),
        enseigne=text("enseigne"),
        denomination=text("denomination"),
    )


def _date(value: str | None) -> dt.date | None:
    if value is None:
        return None
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
