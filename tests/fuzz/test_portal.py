"""Whatever a client asks the API for, the answer is one of its own: never a failure of ours."""

import random
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from services.portal.api.recherche import RECHERCHE_PARAMETERS
from tests.fuzz.cases import Fuzz
from tests.integration.portal.api.directory import Directory, Reader, reading, siren, siret

_PIECES = (
    *("dupont", "boulangerie", "bordeaux", "33", "33063", "10.71C", "A", "true", "1", "44.8"),
    *("'", '"', ":*", "\\", "|", "&", "!", "(", ")", "<->", "%", "_", "--", ";", "/*", "$1", "%s"),
    *("\x00", "\x01", "\n", "\t", "\u200b", "\u202e", "\ufeff", "\ud83e\udd56", "é", "œ", "ß", "ﬁ"),
    *("١٢", "İ", "ǅ", "a\u0301" * 40, "x" * 300, "' OR 1=1 --", "{}", "[ND]", "NaN", "1e999"),
    *("-1", "99999999999999999999", "0", "null", "undefined", "", " ", ",", ",,,", "=", "a&b=c"),
)
_PATHS = (
    *("/api/v1/recherche", "/api/v1/suggestions", "/api/v1/listes", "/api/v1/changements"),
    *("/api/v1/changements.atom", "/api/v1/export.csv", "/compat/search", "/compat/near_point"),
    *(f"/api/v1/etablissements/{siret(1)}", f"/api/v1/unites/{siren(1)}", "/api/v1/pages/x"),
    "/openapi.json",
)
_NAMES = (
    *(each.name for each in RECHERCHE_PARAMETERS),
    *("depuis", "limite", "page", "per_page", "etat_administratif", "minimal", "include", "z"),
)
_METHODS = ("GET",) * 50 + ("HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


@pytest.fixture
def reader(engine: Engine, database_url: str) -> Iterator[Reader]:
    directory = Directory(engine)
    for number in range(1, 8):
        directory.add(number)
    directory.index()
    with reading(database_url, per_minute=100_000_000) as reader:
        yield reader


def _text(dice: random.Random) -> str:
    if dice.random() < 0.02:
        return " ".join(dice.choice(_PIECES) for _ in range(300))
    return dice.choice(("", " ")).join(dice.choice(_PIECES) for _ in range(dice.randrange(1, 6)))


def _case(dice: random.Random) -> tuple[str, str, list[tuple[str, str]], dict[str, str]]:
    path = dice.choice(_PATHS)
    if dice.random() < 0.15:
        path = f"{path.rsplit('/', 1)[0]}/{_text(dice).replace('?', '')}"
    some = [dice.choice(_NAMES) for _ in range(dice.randrange(4))]
    names = ["q"] if dice.random() < 0.4 else some
    query = [(name, _text(dice).encode("utf-8", "replace").decode()) for name in names]
    headers = {}
    if dice.random() < 0.1:
        headers["If-None-Match"] = dice.choice(('"x"', "*", "W/", ",,", '"' * 50))
    if dice.random() < 0.1:
        headers["Authorization"] = dice.choice(("Bearer x", "Bearer", "Basic eA==", "Bearer \xe9"))
    return dice.choice(_METHODS), path, query, headers


def test_no_request_ends_with_a_failure(fuzz: Fuzz, reader: Reader) -> None:
    def become(case: tuple[str, str, list[tuple[str, str]], dict[str, str]]) -> str:
        status = reader.send(*case).status_code
        assert 200 <= status < 500, (status, case)
        return str(status)

    tally = fuzz("requests to the API", _case, become)
    tally.require_variety("200", "400", "401", "404", "405")
