"""The query language, as tables: rows found, queries refused, and the words of a refusal."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.simulator.errors import BadRequestError, ReversedRangeError
from services.simulator.query.evaluation import compile_query
from services.simulator.query.parser import parse
from services.simulator.query.tree import And, Not, Or, PeriodeNode, Range, Term, Word
from services.simulator.query.variables import Collection
from services.simulator.register.rows import RecordRow

_RECORD: Mapping[str, Any] = {
    "siren": "552100554",
    "siret": "55210055400013",
    "statutDiffusionEtablissement": "O",
    "dateDernierTraitementEtablissement": "2024-05-17T10:20:30.400",
    "dateCreationEtablissement": "1998-03-01",
    "trancheEffectifsEtablissement": "11",
    "etablissementSiege": True,
    "nombrePeriodesEtablissement": 2,
    "uniteLegale": {
        "statutDiffusionUniteLegale": "O",
        "categorieJuridiqueUniteLegale": "5710",
        "denominationUniteLegale": "L'ÉPICERIE D'À CÔTÉ",
        "sigleUniteLegale": None,
        "activitePrincipaleUniteLegale": "47.11B",
    },
    "adresseEtablissement": {
        "codeCommuneEtablissement": "33063",
        "codePostalEtablissement": "33000",
    },
    "periodesEtablissement": [
        {
            "dateFin": None,
            "dateDebut": "2015-01-01",
            "etatAdministratifEtablissement": "F",
            "activitePrincipaleEtablissement": "47.11B",
            "enseigne1Etablissement": "LE PETIT MARCHE",
        },
        {
            "dateFin": "2014-12-31",
            "dateDebut": "1998-03-01",
            "etatAdministratifEtablissement": "A",
            "activitePrincipaleEtablissement": "52.1B",
            "enseigne1Etablissement": None,
        },
    ],
}

_FOUND = (
    "siret:55210055400013",
    "siren:552100554",
    "siren:5521*",
    "siren:55210055?",
    "siren:[552100554 TO 552100554]",
    "siren:[500000000 TO 600000000}",
    "siren:{500000000 TO *]",
    "siren:[* TO 552100554]",
    "codeCommuneEtablissement:33*",
    "codeCommuneEtablissement:(33063 OR 33064)",
    "codeCommuneEtablissement:33064 OR codeCommuneEtablissement:33063",
    "-codeCommuneEtablissement:75*",
    "NOT codeCommuneEtablissement:75*",
    "-(codeCommuneEtablissement:75* OR siren:1*)",
    "etablissementSiege:true",
    "nombrePeriodesEtablissement:2",
    "nombrePeriodesEtablissement:[1 TO 10]",
    "nombrePeriodesEtablissement:{1 TO 3}",
    "trancheEffectifsEtablissement:[03 TO 12]",
    "-sigleUniteLegale:*",
    "denominationUniteLegale:*",
    "denominationUniteLegale:epicerie",
    "denominationUniteLegale:\"l'epicerie d'a cote\"",
    "denominationUniteLegale:epic*",
    "denominationUniteLegale.phonetisation:epicerie",
    "periode(enseigne1Etablissement.phonetisation:petit)",
    "denominationUniteLegale:c?te",
    "activitePrincipaleUniteLegale:47.11B",
    "activitePrincipaleUniteLegale:47.*",
    "dateCreationEtablissement:1998-03-01",
    "dateCreationEtablissement:1998",
    "dateCreationEtablissement:[1998 TO 1998-03]",
    "dateDernierTraitementEtablissement:[2024-05-17 TO 2024-05-17]",
    "dateDernierTraitementEtablissement:[2024-05-17T10:20:30 TO 2024-05-17T10:20:30]",
    "dateDernierTraitementEtablissement:[2024-05-17T10:20:30.400 TO *]",
    'dateDernierTraitementEtablissement:["2024-05-17T00:00:00" TO "2024-05-18T00:00:00"]',
    "dateDernierTraitementEtablissement:2024-05-17T10:20:30.400",
    "periode(etatAdministratifEtablissement:A)",
    "periode(etatAdministratifEtablissement:F AND -dateFin:*)",
    "periode (etatAdministratifEtablissement:F)",
    "periode(activitePrincipaleEtablissement:52.1B AND etatAdministratifEtablissement:A)",
    "periode(enseigne1Etablissement:MARCHE)",
    "periode(-enseigne1Etablissement:*)",
    "periode(dateDebut:[2015-01-01 TO *])",
    "siren:552100554 AND codeCommuneEtablissement:33* AND periode(dateFin:2014-12-31)",
    "(siren:1* OR siren:5*) AND (codeCommuneEtablissement:33063)",
    "siren:1* AND siren:2* OR siren:5*",
    "etablissementSiege:true AND siren:552100554",
)

_NOT_FOUND = (
    "siren:552100555",
    "siren:[600000000 TO *]",
    "siren:{552100554 TO 600000000]",
    "siren:[500000000 TO 552100554}",
    "-siren:552100554",
    "codeCommuneEtablissement:3306",
    "codeCommuneEtablissement:?4*063",
    "sigleUniteLegale:*",
    "sigleUniteLegale:A",
    "denominationUniteLegale:epi",
    'denominationUniteLegale:"epicerie cote"',
    "nombrePeriodesEtablissement:{2 TO 3}",
    "dateDernierTraitementEtablissement:[2024-05-18 TO *]",
    "dateDernierTraitementEtablissement:{2024-05-17 TO *]",
    "dateDernierTraitementEtablissement:[* TO 2024-05-17}",
    "periode(etatAdministratifEtablissement:A AND -dateFin:*)",
    "periode(activitePrincipaleEtablissement:52.1B AND etatAdministratifEtablissement:F)",
    "siren:1* AND (siren:2* OR siren:5*)",
    "siren:552100554 AND -etablissementSiege:true",
    "siren:5521\\*",
    'siren:"5521*"',
)

_REFUSED = (
    "etatAdministratifEtablissement:A",
    "periode(codeCommuneEtablissement:33063)",
    "periode(periode(dateFin:*))",
    "nimporteQuoi:1",
    "siren.phonetisation:1",
    "denominationUniteLegale.autre:1",
    "siren",
    "siren:",
    "siren:1 siren:2",
    "siren:1 AND",
    "AND siren:1",
    "siren:1 OR OR siren:2",
    "(siren:1",
    "siren:1)",
    "()",
    "periode()",
    "periode",
    'siren:"1',
    "siren:[1 TO 2",
    "siren:[1 2]",
    "siren:[1 TO ]",
    "siren:[TO 2]",
    "siren::1",
    "denominationUniteLegale:A:B",
    "denominationUniteLegale:\\",
    "dateCreationEtablissement:[hier TO *]",
    "dateCreationEtablissement:demain",
    "nombrePeriodesEtablissement:[un TO deux]",
    "-",
    "(" * 200 + "siren:1" + ")" * 200,
)


def _matches(query: str, record: Mapping[str, Any] = _RECORD, date: str | None = None) -> bool:
    return compile_query(query, "siret").matches(RecordRow(record, date))


@pytest.mark.parametrize("query", _FOUND)
def test_the_query_finds_the_establishment(query: str) -> None:
    assert _matches(query)


@pytest.mark.parametrize("query", _NOT_FOUND)
def test_the_query_does_not_find_the_establishment(query: str) -> None:
    assert not _matches(query)


@pytest.mark.parametrize("query", _REFUSED)
def test_the_query_is_refused(query: str) -> None:
    with pytest.raises(BadRequestError, match="Erreur de syntaxe"):
        compile_query(query, "siret")


def test_a_query_is_read_into_the_tree_it_writes() -> None:
    tree = parse("siren:[1 TO *} AND -(siret:4 OR periode(dateFin:2*))")
    assert tree == And(
        (
            Term("siren", Range("1", None, with_low=True, with_high=False)),
            Not(
                Or(
                    (
                        Term("siret", Word("4")),
                        PeriodeNode(Term("dateFin", Word("2*", wild=frozenset({1})))),
                    )
                )
            ),
        )
    )


@pytest.mark.parametrize(
    ("low", "high", "printed"),
    [
        ("2020-01-01T00:00:00", "2019-12-04T00:00:00", "2020 TO 2019-12-04T00:00:00"),
        ("2020-01-01T00:00:00", "2019-12-09T00:00:00", "2020 TO 2019-12-09T00:00:00"),
    ],
)
def test_a_reversed_range_is_refused_in_the_words_that_were_recorded(
    low: str, high: str, printed: str
) -> None:
    with pytest.raises(ReversedRangeError) as refused:
        compile_query(f"dateDernierTraitementUniteLegale:[{low} TO {high}]", "siren")
    message = f"Erreur de syntaxe, ordre incorrect dans l'intervalle : {printed}"
    assert str(refused.value) == message


def test_reversed_ranges_of_text_and_numbers_are_refused_too() -> None:
    for query in ("siren:[2 TO 1]", "nombrePeriodesEtablissement:[3 TO 2]"):
        with pytest.raises(ReversedRangeError):
            compile_query(query, "siret")


def test_a_date_chooses_the_period_that_is_asked() -> None:
    opened = "periode(etatAdministratifEtablissement:A)"
    assert _matches(opened, date="2010-06-01")
    assert not _matches(opened, date="2016-06-01")


@pytest.mark.parametrize(
    "query",
    [
        "codePostalEtablissement:33000",
        "-codePostalEtablissement:75001",
        "siren:5* OR codePostalEtablissement:*",
        "NOT (codePostalEtablissement:75001)",
    ],
)
def test_a_masked_unit_vanishes_from_any_query_that_names_what_is_masked(query: str) -> None:
    assert _matches(query)
    assert not _matches(query, {**_RECORD, "statutDiffusionEtablissement": "P"})


def test_a_masked_unit_stays_in_queries_on_what_is_not_masked() -> None:
    partial = {**_RECORD, "statutDiffusionEtablissement": "P"}
    assert _matches("codeCommuneEtablissement:33063", partial)
    assert _matches("periode(enseigne1Etablissement:MARCHE)", partial), "signs of a legal person"
    natural = {
        **partial,
        "uniteLegale": {**_RECORD["uniteLegale"], "categorieJuridiqueUniteLegale": "1000"},
    }
    assert not _matches("periode(enseigne1Etablissement:MARCHE)", natural)


def test_recorded_marks_hide_a_unit_as_well() -> None:
    address = {**_RECORD["adresseEtablissement"], "codePostalEtablissement": "[ND]"}
    assert not _matches(
        "-codePostalEtablissement:75001", {**_RECORD, "adresseEtablissement": address}
    )


@pytest.mark.parametrize(
    ("query", "collection", "bounds"),
    [
        ("siren:552100554", "siret", ("552100554", "552100554")),
        ("siren:[3 TO 5] AND codeCommuneEtablissement:33*", "siret", ("3", "5")),
        ("siren:[3 TO *] AND siret:4*", "siret", ("4", "4")),
        ("siren:3* OR codeCommuneEtablissement:33*", "siret", ("", "~")),
        ("-siren:3*", "siret", ("", "~")),
        ("siren:*", "siren", ("", "~")),
    ],
)
def test_only_identifiers_that_can_match_are_looked_at(
    query: str, collection: Collection, bounds: tuple[str, str]
) -> None:
    compiled = compile_query(query, collection)
    assert (compiled.low, compiled.high) == bounds


def test_historised_variables_of_units_are_wrapped_in_their_own_collection_only() -> None:
    compile_query("periode(denominationUniteLegale:A)", "siren")
    compile_query("denominationUniteLegale:A", "siret")
    refused: tuple[tuple[str, Collection], ...] = (
        ("denominationUniteLegale:A", "siren"),
        ("periode(denominationUniteLegale:A)", "siret"),
        ("codeCommuneEtablissement:33063", "siren"),
    )
    for query, collection in refused:
        with pytest.raises(BadRequestError):
            compile_query(query, collection)
