"""Establishments, units and pages by their number or address."""

import pytest

from services.portal.api import models
from tests.integration.portal.api.directory import Directory, Reader, siren, siret

ON_TWO_SHARDS = True


def test_an_establishment_is_read_by_its_number(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    answer = reader.json(f"/api/v1/etablissements/{siret(1)}")
    models.EtablissementReponse.model_validate(answer)
    found = answer["etablissement"]
    assert (found["nom"], found["etat"], found["siege"]) == ("BOULANGERIE DUPONT 1", "A", True)
    assert found["adresse"]["voie"] == "12 rue des Tilleuls"
    assert found["unite"]["nom"] == "BOULANGERIE DUPONT 1"


def test_a_closed_establishment_without_a_page_is_read(
    directory: Directory, reader: Reader
) -> None:
    directory.add(1, etat_administratif="F")
    directory.execute("DELETE FROM pro_localisations")
    found = reader.json(f"/api/v1/etablissements/{siret(1)}")["etablissement"]
    assert (found["etat"], found["page"]) == ("F", None)


@pytest.mark.parametrize("number", ["123", "x" * 14, "1" * 15, "0" * 13 + "٣", "00000000000001"])
def test_a_number_of_another_shape_or_key_is_400(reader: Reader, number: str) -> None:
    answer = reader.get(f"/api/v1/etablissements/{number}")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problemes/numero-invalide")


def test_a_sound_number_that_nobody_has_is_404(reader: Reader) -> None:
    assert reader.get(f"/api/v1/etablissements/{siret(9)}").status_code == 404
    assert reader.get(f"/api/v1/unites/{siren(9)}").status_code == 404


def test_a_stored_number_with_a_wrong_key_is_served(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    directory.execute("UPDATE etablissements SET siret = siren || '00019'")
    assert reader.get(f"/api/v1/etablissements/{siren(1)}00019").status_code == 200


def test_a_street_of_a_sole_trader_is_not_told(directory: Directory, reader: Reader) -> None:
    directory.add(1, unite={"categorie_juridique": "1000", "nom": "ZORGLUB", "denomination": None})
    found = reader.json(f"/api/v1/etablissements/{siret(1)}")["etablissement"]
    assert found["adresse"]["voie"] is None
    assert found["nom"] == "ZORGLUB"


@pytest.mark.parametrize("table", ["etablissements", "unites_legales"])
def test_an_objector_is_masked_whatever_its_rows_hold(
    directory: Directory, reader: Reader, table: str
) -> None:
    own = directory.add(
        1, unite={"categorie_juridique": "1000", "nom": "ZORGLUB", "denomination": None}
    )
    page = reader.json(f"/api/v1/etablissements/{siret(1)}")["etablissement"]["page"]
    directory.execute(f"UPDATE {table} SET statut_diffusion = 'P'")
    answer = reader.get(f"/api/v1/etablissements/{siret(1)}")
    assert answer.json()["etablissement"]["diffusible"] is False
    unite = reader.get(f"/api/v1/unites/{own}")
    by_slug = reader.get(f"/api/v1{page}")
    for each in (answer, unite, by_slug):
        if table == "unites_legales" or each is not unite:
            assert "ZORGLUB" not in each.text.replace(page, "").upper()
    assert unite.json()["etablissements"] == []


def test_a_unit_is_walked_by_cursor(directory: Directory, reader: Reader) -> None:
    own = directory.add(1, ranks=7)
    first = reader.json(f"/api/v1/unites/{own}", par_page=4)
    models.UniteReponse.model_validate(first)
    second = reader.json(f"/api/v1/unites/{own}", par_page=4, curseur=first["curseur"])
    found = [each["siret"] for each in (*first["etablissements"], *second["etablissements"])]
    assert found == [siret(1, rank) for rank in range(1, 8)]
    assert second["curseur"] is None
    other = directory.add(2)
    refused = reader.get(f"/api/v1/unites/{other}", par_page=4, curseur=first["curseur"])
    assert refused.status_code == 400


def test_a_page_has_its_texts_and_a_validator(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    path = reader.json(f"/api/v1/etablissements/{siret(1)}")["etablissement"]["page"]
    answer = reader.get(f"/api/v1{path}")
    models.PageReponse.model_validate(answer.json())
    assert answer.json()["notice"] is None
    etag = answer.headers["ETag"]
    assert reader.get(f"/api/v1{path}", headers={"If-None-Match": etag}).status_code == 304
    directory.execute("UPDATE unites_legales SET tranche_effectifs = '12'")
    assert reader.get(f"/api/v1{path}", headers={"If-None-Match": etag}).status_code == 200


def test_another_address_of_a_page_leads_to_it_and_an_erased_one_is_gone(
    directory: Directory, reader: Reader
) -> None:
    directory.add(1)
    path = reader.json(f"/api/v1/etablissements/{siret(1)}")["etablissement"]["page"]
    other = reader.get(f"/api/v1/pages/zorglub-{siret(1)}")
    assert (other.status_code, other.headers["Location"]) == (301, f"/api/v1{path}")
    directory.execute(
        "UPDATE etablissements SET statut_diffusion = 'P';"
        "UPDATE pro_localisations SET nom = NULL, nom_source = NULL, slug = 'x-' || siret"
    )
    assert reader.get(f"/api/v1{path}").status_code == 410
    assert reader.get("/api/v1/pages/nothing").status_code == 404


def test_a_closed_page_is_gone(directory: Directory, reader: Reader) -> None:
    directory.add(1)
    path = reader.json(f"/api/v1/etablissements/{siret(1)}")["etablissement"]["page"]
    directory.execute("UPDATE pro_localisations SET status = 'closed'")
    answer = reader.get(f"/api/v1{path}")
    assert (answer.status_code, answer.json()["type"]) == (410, "/problemes/retiree")


def test_whoever_objected_here_is_masked(directory: Directory, reader: Reader) -> None:
    own = directory.add(1)
    directory.execute("INSERT INTO oppositions (siren, reason) VALUES (:siren, 'r')", siren=own)
    for path in (f"/api/v1/etablissements/{siret(1)}", f"/api/v1/unites/{own}"):
        assert "DUPONT" not in reader.get(path).text.upper().replace("/PAGES/", "")
