"""Parameters are read as declared; what is not is refused in words that help."""

from typing import Any

import pytest

from services.portal.api import parameters as parameter
from services.portal.api.recherche import RECHERCHE_PARAMETERS, search_of
from services.portal.web.problems import Problem


def _read(*sent: tuple[str, str]) -> dict[str, Any]:
    return parameter.read(RECHERCHE_PARAMETERS, sent)


def _problem(*sent: tuple[str, str]) -> Problem:
    with pytest.raises(Problem) as raised:
        search_of(_read(*sent), None)
    return raised.value


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("department", "departement"),
        ("code_comune", "code_commune"),
        ("per_page", "par_page"),
        ("etat_administratif", "etat"),
        ("Q", "q"),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_nearest_name(name: str, nearest: str) -> None:
    problem = _problem((name, "33"))
    assert (problem.status, problem.kind) == (400, "parametre-inconnu")
    assert problem.detail == f"{name} : vouliez-vous dire {nearest} ?"


def test_an_unknown_parameter_without_a_near_one_is_refused_with_all_names() -> None:
    assert "code_commune" in _problem(("zzz", "1")).detail


def test_a_list_keeps_its_order_and_each_value_once() -> None:
    values = _read(("departement", "33, 2a"), ("departement", "33"))
    assert values["departement"] == ("33", "2A")


def test_a_list_has_fifty_values_at_most() -> None:
    codes = [f"{number:05}" for number in range(51)]
    assert len(_read(("code_postal", ",".join(codes[:50])))["code_postal"]) == 50
    assert _problem(("code_postal", ",".join(codes))).detail == (
        "code_postal : 50 valeurs au plus, il y en a 51"
    )


def test_an_activity_is_read_with_and_without_its_dot_and_by_its_division() -> None:
    values = _read(("activite_principale", "1071c,10.71D,10"))
    assert values["activite_principale"] == ("10.71C", "10.71D", "10")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code_commune", "bordeaux"),
        ("code_postal", "3300"),
        ("departement", "33,x"),
        ("etat", "a"),
        ("siege", "oui"),
        ("par_page", "26"),
        ("par_page", "0"),
        ("par_page", "1_0"),
        ("par_page", "١٢"),
        ("lat", "nan"),
        ("lat", "1e5"),
        ("radius", "50.1"),
        ("tri", "nom"),
        ("facettes", "nom"),
        ("curseur", "é"),
        ("q", "a" * 201),
    ],
)
def test_a_value_that_is_none_of_its_parameter_is_refused(name: str, value: str) -> None:
    problem = _problem((name, value))
    assert (problem.status, problem.kind) == (400, "parametre-invalide")
    assert problem.more["erreurs"] == [
        {"parametre": name, "detail": problem.detail.partition(" : ")[2]}
    ]


def test_all_faults_are_told_at_once() -> None:
    problem = _problem(("lat", "100"), ("code_postal", "x"))
    assert problem.detail.count(" ; ") == 1


def test_a_single_value_is_not_given_twice() -> None:
    assert "une seule valeur" in _problem(("q", "a"), ("q", "b")).detail


def test_control_characters_count_as_spaces() -> None:
    assert _read(("q", "du\x00pont\t\u200b x"))["q"] == "du pont x"
    assert _read(("q", "\x00"))["q"] is None


def test_a_required_text_of_control_characters_is_missing() -> None:
    declared = [parameter.text("q", "", longest=9, required=True)]
    with pytest.raises(Problem) as raised:
        parameter.read(declared, [("q", "\x00")])
    assert raised.value.kind == "parametre-manquant"


@pytest.mark.parametrize(
    "sent", [[("lat", "44.8")], [("radius", "3")], [("tri", "distance")]], ids=str
)
def test_a_circle_needs_both_coordinates(sent: list[tuple[str, str]]) -> None:
    assert "lat et long" in _problem(*sent).detail


def test_a_circle_has_five_kilometres_without_a_radius() -> None:
    near = search_of(_read(("lat", "44.8"), ("long", "-0.57")), None).near
    assert near is not None
    assert near.radius_km == 5


def test_only_open_establishments_are_found_unless_others_are_asked_for() -> None:
    assert search_of(_read(), None).filters.etat == "A"
    assert search_of(_read(("etat", "F")), None).filters.etat == "F"
