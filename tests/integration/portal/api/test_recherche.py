"""Searches over HTTP: what they find, how they are walked, what they say of themselves."""

from typing import Any

import pytest

from services.portal.api import models
from tests.integration.portal.api.directory import Directory, Reader, siret

ON_TWO_SHARDS = True


@pytest.fixture
def thirty(directory: Directory) -> Directory:
    for number in range(1, 31):
        directory.add(number)
    directory.index()
    return directory


def _walk(reader: Reader, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return all answers of a walk."""
    answers = [reader.json(path, **query)]
    while answers[-1]["curseur"] is not None:
        answers.append(reader.json(path, **{**query, "curseur": answers[-1]["curseur"]}))
        assert len(answers) < 100
    return answers


@pytest.mark.usefixtures("thirty")
@pytest.mark.parametrize(
    "query",
    [
        {"departement": "33"},
        {"code_commune": "33063", "activite_principale": "10"},
        {"q": "boulangerie dupont"},
        {"lat": "44.84", "long": "-0.58", "radius": "50", "tri": "distance"},
        {"tri": "date_creation"},
        {},
    ],
    ids=str,
)
def test_a_cursor_walks_every_row_once_and_totals_stay(
    reader: Reader, query: dict[str, str]
) -> None:
    answers = _walk(reader, "/api/v1/recherche", par_page=7, **query)
    found = [each["siret"] for answer in answers for each in answer["resultats"]]
    assert sorted(found) == [siret(number) for number in range(1, 31)]
    assert {(answer["total"], answer["total_exact"]) for answer in answers} == {(30, True)}
    assert len(answers) == 5


def test_a_walk_goes_on_while_others_are_written(directory: Directory, reader: Reader) -> None:
    for number in range(1, 21):
        directory.add(number)
    directory.index()
    query = {"departement": "33", "par_page": 6}
    first = reader.json("/api/v1/recherche", **query)
    for number in range(21, 41):
        directory.add(number)
    directory.index()
    rest = _walk(reader, "/api/v1/recherche", curseur=first["curseur"], **query)
    found = [each["siret"] for answer in (first, *rest) for each in answer["resultats"]]
    assert len(found) == len(set(found))
    assert {siret(number) for number in range(1, 21)} <= set(found)


@pytest.mark.usefixtures("thirty")
def test_an_answer_is_what_the_model_says_and_names_its_source(reader: Reader) -> None:
    answer = reader.json("/api/v1/recherche", q="boulangerie dupont 3", facettes="etat,departement")
    models.RechercheReponse.model_validate(answer)
    assert answer["source"] == "Insee, Sirene"
    assert answer["a_jour_au"] is None
    assert answer["facettes"]["etat"] == [{"valeur": "A", "nombre": answer["total"]}]
    assert answer["compris"]["activites"] == ["10.71C"]
    first = answer["resultats"][0]
    assert first["nom"] == "BOULANGERIE DUPONT 3"
    assert reader.get(f"/api/v1{first['page']}").status_code == 200


def test_the_day_is_that_of_the_older_watermark(thirty: Directory, reader: Reader) -> None:
    thirty.execute(
        "INSERT INTO watermarks (collection, treated_until) VALUES"
        " ('etablissements', '2026-08-05 03:00'), ('unites_legales', '2026-08-04 03:00')"
    )
    assert reader.json("/api/v1/recherche")["a_jour_au"] == "2026-08-04"


@pytest.mark.usefixtures("thirty")
def test_a_cursor_of_another_search_is_refused(reader: Reader) -> None:
    cursor = reader.json("/api/v1/recherche", departement="33")["curseur"]
    answer = reader.get("/api/v1/recherche", departement="33", etat="F", curseur=cursor)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problemes/curseur-invalide")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("thirty")
def test_suggestions_go_on_as_typed(reader: Reader) -> None:
    answer = reader.json("/api/v1/suggestions", q="boul", limite=3)
    models.SuggestionsReponse.model_validate(answer)
    assert len(answer["suggestions"]) == 3


@pytest.mark.usefixtures("thirty")
def test_a_list_needs_a_commune_and_has_a_validator(reader: Reader) -> None:
    assert reader.get("/api/v1/listes").json()["type"] == "/problemes/parametre-manquant"
    answer = reader.get("/api/v1/listes", code_commune="33063", par_page=25)
    assert (answer.json()["total"], len(answer.json()["resultats"])) == (30, 25)
    kept = reader.get(
        "/api/v1/listes",
        headers={"If-None-Match": answer.headers["ETag"]},
        code_commune="33063",
        par_page=25,
    )
    assert (kept.status_code, kept.content) == (304, b"")


def test_objectors_are_in_no_search_list_count_or_suggestion(
    directory: Directory, reader: Reader
) -> None:
    directory.add(1)
    hidden = directory.add(2)
    directory.index()
    directory.execute(
        "UPDATE etablissements SET statut_diffusion = 'P' WHERE siren = :siren", siren=hidden
    )
    answer = reader.json("/api/v1/recherche", q="boulangerie dupont")
    assert [each["siret"] for each in answer["resultats"]] == [siret(1)]
    assert reader.metrics is not None
    value = reader.metrics.registry.get_sample_value
    assert value("sirenade_portal_hits_dropped_total") == 1
    assert len(reader.json("/api/v1/listes", code_commune="33063")["resultats"]) == 1
    assert len(reader.json("/api/v1/suggestions", q="boul")["suggestions"]) == 1


@pytest.mark.parametrize("words", ["1 1", "zzz zzz", "or 1 1 --"])
def test_a_word_that_is_there_twice_is_no_failure(
    directory: Directory, reader: Reader, words: str
) -> None:
    directory.add(1, unite={"denomination": "LE 1 BIS"})
    directory.index()
    assert reader.get("/api/v1/recherche", q=words).status_code == 200
    assert reader.get("/compat/search", q=words).status_code == 200
