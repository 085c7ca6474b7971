"""The page about the API tells every endpoint, parameter and problem, from no other server."""

import re
from typing import Any

from services.portal.api.endpoints import Endpoint
from services.portal.api.problems import KINDS
from services.portal.api.reference import reference
from services.portal.pages.documents import Documents


def _page(listed: list[Endpoint]) -> str:
    documents = Documents("https://annuaire.example", index_sole_traders=False)
    return documents.render("reference", **reference(listed)).decode()


def test_every_endpoint_parameter_and_problem_is_told(listed: list[Endpoint]) -> None:
    page = _page(listed)
    for each in listed:
        assert f"GET {each.path}<" in page
        assert all(f"<code>{one.name}</code>" in page for one in each.parameters)
    assert all(f'id="{name}"' in page for name in KINDS)


def test_values_are_told_in_french(listed: list[Endpoint]) -> None:
    told: Any = reference(listed)["endpoints"]
    recherche = {one.name: one.values for one in told[0].parameters}
    assert recherche["par_page"] == "1 à 25 ; 10 sans valeur"
    assert recherche["q"] == "1 à 200 caractères"
    assert recherche["etat"] == "A, F ; A sans valeur"
    assert recherche["code_commune"] == "comme 33063 ; 50 valeurs au plus"
    assert recherche["siege"] == "true ou false"


def test_it_needs_no_other_server_and_no_script(listed: list[Endpoint]) -> None:
    page = _page(listed)
    assert "<script" not in page
    assert not re.findall(r'(?:src|rel="stylesheet" href)="(?!/static/|data:)', page)
