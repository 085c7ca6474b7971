"""`/compat/search` answers as API Recherche d'entreprises does."""

from typing import Any

import pytest

from tests.integration.portal.api.directory import Directory, Reader, siren, siret

ON_TWO_SHARDS = True

_FIELDS = {
    *("siren", "nom_complet", "nom_raison_sociale", "sigle", "nombre_etablissements"),
    *("nombre_etablissements_ouverts", "siege", "activite_principale", "categorie_entreprise"),
    *("caractere_employeur", "annee_categorie_entreprise", "date_creation", "date_fermeture"),
    *("date_mise_a_jour", "date_mise_a_jour_insee", "date_mise_a_jour_rne", "dirigeants"),
    *("etat_administratif", "nature_juridique", "section_activite_principale"),
    *("tranche_effectif_salarie", "annee_tranche_effectif_salarie", "statut_diffusion"),
    *("matching_etablissements", "finances", "complements", "activite_principale_naf25"),
}


def test_a_unit_has_the_fields_of_that_api(directory: Directory, reader: Reader) -> None:
    directory.add(1, ranks=3)
    directory.index()
    answer = reader.json("/compat/search", q="boulangerie dupont")
    assert set(answer) == {"results", "total_results", "page", "per_page", "total_pages"}
    (unite,) = answer["results"]
    assert set(unite) == _FIELDS
    assert unite["siren"] == siren(1)
    assert unite["nombre_etablissements"] == 3
    assert unite["siege"]["siret"] == siret(1)
    assert unite["siege"]["adresse"] == "12 RUE DES TILLEULS 33000 BORDEAUX"
    assert {each["siret"] for each in unite["matching_etablissements"]} == {
        siret(1, rank) for rank in (1, 2, 3)
    }


def test_pages_have_every_unit_once(directory: Directory, reader: Reader) -> None:
    for number in range(1, 31):
        directory.add(number)
    directory.index()
    found, page, pages = [], 1, 2
    while page <= pages:
        answer = reader.json("/compat/search", departement="33", page=page, per_page=7)
        found += [each["siren"] for each in answer["results"]]
        page, pages = page + 1, answer["total_pages"]
    assert (pages, sorted(found)) == (5, [siren(number) for number in range(1, 31)])


def test_a_number_finds_its_unit(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    directory.add(2)
    directory.index()
    for number in (siren(2), siret(2)):
        answer = reader.json("/compat/search", q=number)
        assert [each["siren"] for each in answer["results"]] == [siren(2)]


def test_a_minimal_answer_has_what_is_included(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    directory.index()
    query = {"departement": "33", "minimal": "true", "include": "siege"}
    (unite,) = reader.json("/compat/search", **query)["results"]
    assert "siege" in unite
    assert "complements" not in unite


def test_a_circle_is_answered_nearest_first(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    directory.add(9)
    directory.index()
    answer = reader.json("/compat/near_point", lat=44.8, long=-0.58, radius=50)
    assert answer["total_results"] == 2


@pytest.mark.parametrize(
    "query",
    [{}, {"est_bio": "true"}, {"q": "x", "page": "0"}, {"q": "x", "include": "siege"}, {"z": "1"}],
    ids=str,
)
def test_what_is_not_answered_is_refused_in_its_way(reader: Reader, query: dict[str, Any]) -> None:
    answer = reader.get("/compat/search", **query)
    assert answer.status_code == 400
    assert set(answer.json()) == {"erreur"}


def test_an_objector_is_not_found_and_masked_as_a_siege(
    directory: Directory, reader: Reader
) -> None:
    directory.add(1, ranks=2)
    directory.index()
    directory.execute(
        "UPDATE etablissements SET statut_diffusion = 'P' WHERE siret = :siret", siret=siret(1)
    )
    (unite,) = reader.json("/compat/search", departement="33")["results"]
    assert [each["siret"] for each in unite["matching_etablissements"]] == [siret(1, 2)]
    assert unite["siege"]["adresse"] == "BORDEAUX"
    assert unite["siege"]["libelle_voie"] is None
