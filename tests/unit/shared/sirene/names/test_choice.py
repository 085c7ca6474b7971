"""One function decides the name of an establishment from all its name fields."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.sirene.mapping.mapper import map_record
from shared.sirene.names import Name, display_name, enseigne_of
from shared.sirene.pages import facts_of, page_of
from shared.sirene.records import Etablissement, UniteLegale

_INPUTS = Path(__file__).parents[4] / "fixtures" / "register" / "10_names.jsonl"
_CUT = "ECOLE ELEMENTAIRE INTERCOMMUNALE DU VAL DE MARQUEM"


def _etablissement(**fields: Any) -> Etablissement:
    return Etablissement(
        siret="00000000100001", siren="000000001", nic="00001", statut_diffusion="O", **fields
    )


def _unite(**fields: Any) -> UniteLegale:
    return UniteLegale(siren="000000001", statut_diffusion="O", **fields)


def test_the_inputs_have_the_right_names() -> None:
    lines = [json.loads(line) for line in _INPUTS.read_text(encoding="utf-8").splitlines()]
    found = {}
    for line in lines:
        mapped = map_record(line)
        page = page_of(mapped.etablissement, mapped.unite)
        assert page is not None
        facts = facts_of(mapped.etablissement, mapped.unite, page)
        found[line["siren"]] = (page.nom, page.nom_source, facts.enseigne)
    school = "ECOLE ELEMENTAIRE PUBLIQUE INTERCOMMUNALE DU VAL DE SAONE ET DES MONTS D OR"
    assert found == {
        "934000001": (school, "enseigne", school),
        "934000019": ("ATELIER DUMONT", "denomination", None),
        "934000027": ("ATELIER DUMONT", "denomination", None),
        "934000035": ("ATELIER DUMONT", "denomination", None),
        "934000043": ("FPG INVEST", "denomination", None),
    }


@pytest.mark.parametrize(
    ("etablissement", "unite", "name"),
    [
        ({"enseigne1": "A", "denomination_usuelle": "B"}, {}, ("A", "enseigne")),
        ({"denomination_usuelle": "B"}, {"denomination": "C"}, ("B", "denomination_usuelle")),
        ({}, {"denomination": "C", "sigle": "S"}, ("C", "denomination")),
        ({}, {"sigle": "S", "nom": "FÉE"}, ("S", "sigle")),
        ({}, {"prenom1": "JO", "prenom_usuel": "ZOÉ", "nom": "FÉE"}, ("ZOÉ FÉE", "personne")),
        ({}, {"nom_usage": "USAGE", "nom": "FÉE"}, ("USAGE", "personne")),
    ],
)
def test_the_name_over_the_door_comes_first(
    etablissement: dict[str, Any], unite: dict[str, Any], name: tuple[str, str]
) -> None:
    found = display_name(_etablissement(**etablissement), _unite(**unite))
    assert found is not None
    assert (found.registered, found.source) == name


def test_the_obsolete_fields_of_the_unit_name_nothing() -> None:
    fields = {f"denomination_usuelle{number}": "VIEUX NOM" for number in (1, 2, 3)}
    assert display_name(_etablissement(), _unite(**fields)) is None


@pytest.mark.parametrize(
    "phrase",
    [
        "SUPPRESSION DU NOM COMMERCIAL",
        "SUPPRESSION DE L ENSEIGNE",
        "SUPPRESSION DE L'ENSEIGNE",
        "Suppression de l'enseigne et du nom commercial",
        "SUPPRESSION ENSEIGNE",
        "ENSEIGNE SUPPRIMÉE",
        "SUPPRESSION",
        "NOM COMMERCIAL : NEANT",
        "NEANT",
        "SANS ENSEIGNE",
        "PAS D'ENSEIGNE",
        "[ND]",
        "-",
        "...",
        "",
    ],
)
def test_a_phrase_of_suppression_is_no_name(phrase: str) -> None:
    name = display_name(_etablissement(enseigne1=phrase), _unite(denomination="ATELIER DUMONT"))
    assert name == Name("ATELIER DUMONT", "denomination")
    assert enseigne_of(_etablissement(enseigne1=phrase)) is None


@pytest.mark.parametrize(
    "nom", ["SANS SOUCI", "PAS A PAS", "L ENSEIGNE", "LE NOM DE LA ROSE", "LA SUPPRESSION", "1664"]
)
def test_a_name_of_like_words_stays_a_name(nom: str) -> None:
    assert enseigne_of(_etablissement(enseigne1=nom)) == nom


@pytest.mark.parametrize(
    ("fields", "joined"),
    [
        (("AU PAIN", None, None), "AU PAIN"),
        (("AU PAIN", "DE MARIE", "ET FILS"), "AU PAIN DE MARIE ET FILS"),
        ((None, "AU PAIN", None), "AU PAIN"),
        (("AU PAIN", "AU PAIN", None), "AU PAIN"),
        (("AU PAIN", "SUPPRESSION DE L ENSEIGNE", None), "AU PAIN"),
        # Cut at 50 characters inside a word, at its end, and before a sign.
        (("X" * 36 + " BOULANGERIE P", "ATISSERIE", None), "X" * 36 + " BOULANGERIE PATISSERIE"),
        (("X" * 39 + " LA MAISON", "BLANCHE", None), "X" * 40 + " LA MAISON BLANCHE"),
        (("X" * 48 + " L", "'ECOLE", None), "X" * 48 + " L 'ECOLE"),
        ((_CUT, "BOURG", None), f"{_CUT}BOURG"),
    ],
)
def test_a_sign_is_joined_over_its_three_fields(
    fields: tuple[str | None, str | None, str | None], joined: str
) -> None:
    one, two, three = fields
    etablissement = _etablissement(enseigne1=one, enseigne2=two, enseigne3=three)
    assert (enseigne_of(etablissement) or "").replace("X", "") == joined.replace("X", "")
