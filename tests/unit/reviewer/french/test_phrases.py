import csv
import re
from pathlib import Path

import pytest

from services.reviewer.french.data import formes_juridiques
from services.reviewer.french.labels import readable_activite
from services.reviewer.french.phrases import activite, effectif, forme, numero
from shared.sirene.facts import Facts
from shared.sirene.reference import libelles_d_activite


def _facts(**values: str) -> Facts:
    return Facts(siret="", siren="", nom="X", **values)  # type: ignore[arg-type]  # texts only


@pytest.mark.parametrize(
    ("code", "genre", "libelle"),
    [
        ("1000", "f", "entreprise individuelle"),
        ("5499", "f", "société à responsabilité limitée (SARL)"),
        ("5498", "f", "société à responsabilité limitée unipersonnelle"),
        ("5710", "f", "société par actions simplifiée (SAS)"),
        ("5720", "f", "société par actions simplifiée unipersonnelle (SASU)"),
        ("5599", "f", "société anonyme à conseil d’administration"),
        ("6540", "f", "société civile immobilière (SCI)"),
        ("6598", "f", "exploitation agricole à responsabilité limitée (EARL)"),
        ("6533", "m", "groupement agricole d’exploitation en commun (GAEC)"),
        ("7210", "f", "commune"),
        ("7220", "m", "département"),
        ("7113", "m", "ministère"),
        ("7361", "m", "centre communal d’action sociale (CCAS)"),
        ("8410", "m", "syndicat de salariés"),
        ("9110", "m", "syndicat de copropriété"),
        ("9220", "f", "association déclarée"),
        ("9300", "f", "fondation"),
    ],
)
def test_a_legal_form_has_its_gender_and_a_readable_wording(
    code: str, genre: str, libelle: str
) -> None:
    found = forme(_facts(categorie_juridique=code))
    assert found is not None
    assert (found.genre, found.libelle) == (genre, libelle)


def test_every_legal_form_reads_as_a_noun_group() -> None:
    assert len(formes_juridiques()) > 250
    for form in formes_juridiques().values():
        assert form.libelle[0].islower(), form
        assert not re.match(r"(?:autre|un|une|le|la)\b", form.libelle), form
        assert "s.a.i." not in form.libelle
        assert form.libelle == " ".join(form.libelle.split())
        # Else a word after the form follows half of it: « reconnue d’utilité publique implantée ».
        assert re.fullmatch(r"[^,]+(?:,.* (?:et|ou) .*)?", form.libelle), form


def test_the_gender_is_that_of_the_first_noun() -> None:
    feminine = re.compile(
        r"(?:société|association|caisse|coopérative|union|institution|personne|commune|région"
        r"|collectivité|communauté|école|autorité|entreprise|exploitation|fondation|mutuelle)\b"
    )
    masculine = re.compile(
        r"(?:groupement|établissement|syndicat|service|organisme|centre|comité|office|pôle)\b"
    )
    for form in formes_juridiques().values():
        if feminine.match(form.libelle):
            assert form.genre == "f", form
        if masculine.match(form.libelle):
            assert form.genre == "m", form


def test_an_unknown_legal_form_is_not_told() -> None:
    assert forme(_facts(forme="SARL", categorie_juridique="9998")) is None


@pytest.mark.parametrize(
    ("libelle", "groupe"),
    [
        ("Commerce de détail de livres", "le commerce de détail de livres"),
        ("Élevage de vaches laitières", "l’élevage de vaches laitières"),
        ("Edition de jeux électroniques", "l’édition de jeux électroniques"),
        ("Commerce de gros (commerce interentreprises) de bois", "le commerce de gros de bois"),
        ("Travaux de couverture", "les travaux de couverture"),
        ("Coiffure", "la coiffure"),
        (
            "Entretien et réparation de véhicules",
            "l’entretien et la réparation de véhicules",
        ),
        ("Boulangerie et boulangerie-pâtisserie", "la boulangerie et la boulangerie-pâtisserie"),
        ("Culture et élevage associés", "la culture et l’élevage associés"),
        (
            "Accueil ou accompagnement d'enfants",
            "l’accueil ou l’accompagnement d’enfants",
        ),
        (
            "Commerce de détail de pain, pâtisserie et confiserie",
            "le commerce de détail de pain, pâtisserie et confiserie",
        ),
        ("Hébergement touristique et autre hébergement de courte durée", None),
        ("Préparation de fibres textiles et filature", None),
        ("Traitement de données, hébergement et activités connexes", None),
        ("Études de marché et sondages", None),
        ("Administration publique (tutelle) des activités économiques", None),
        ("Autres activités extractives n.c.a.", None),
        ("Chasse, piégeage et services annexes", None),
        ("Activités vétérinaires", None),
        ("Culture de céréales ; cultures industrielles", None),
        ("Ambulances", None),
        # INSEE dropped a preposition: this label serves as a title only.
        ("Fabrication machines spécialisées diverses", None),
        ("Commerce gros appareils électroménagers et radiotélévision", None),
        ("Fabrication de meubles divers et industries connexes de l'ameublement", None),
        ("Installation industrielle, montage levage", None),
        ("Fabrication industrielle de pain", "la fabrication industrielle de pain"),
    ],
)
def test_an_activity_becomes_a_noun_group_or_stays_a_title(
    libelle: str, groupe: str | None
) -> None:
    found = activite(_facts(activite=libelle))
    assert found is not None
    assert found.groupe == groupe


@pytest.mark.parametrize(
    ("libelle", "readable"),
    [
        (
            "Autres activités extractives n.c.a.",
            "Autres activités extractives non classées ailleurs",
        ),
        (
            "Recherche scientifique (services non marchands à caractère privé))",
            "Recherche scientifique (services non marchands à caractère privé)",
        ),
        ("Fabrication de polos etc... En bonneterie", "Fabrication de polos, etc., en bonneterie"),
        (
            "Fabrication d'autres textiles n.c.a.",
            "Fabrication d’autres textiles non classés ailleurs",
        ),
        (
            "Autre commerce de gros spécialisé n.c.a.",
            "Autre commerce de gros spécialisé non classé ailleurs",
        ),
        (
            "Action sociale sans hébergement n.c.a.",
            "Action sociale sans hébergement non classée ailleurs",
        ),
        (
            "Activités auxiliaires, hors assurance, n.c.a.",
            "Activités auxiliaires, hors assurance, non classées ailleurs",
        ),
        ("Culture de céréales (sf riz)", "Culture de céréales (sauf riz)"),
        ("Industries yc artisanat", "Industries y compris artisanat"),
        ("Extraction d\x92argiles et gros \x9cuvre", "Extraction d’argiles et gros œuvre"),
        ("petites surfaces (moins de 400 m2)", "petites surfaces (moins de 400 m²)"),
        ("Accueil d’enfants\n et d’adolescents", "Accueil d’enfants et d’adolescents"),
    ],
)
def test_abbreviations_and_damage_are_made_good(libelle: str, readable: str) -> None:
    assert readable_activite(libelle) == readable


def test_no_label_of_any_nomenclature_keeps_an_abbreviation() -> None:
    for libelle in libelles_d_activite():
        readable = readable_activite(libelle)
        assert not re.search(r"n\.c\.a|\bsf\b|\byc\b|[\x80-\x9f]|  ", readable), readable


@pytest.mark.parametrize(
    ("tranche", "phrase"),
    [
        (None, None),
        ("NN", None),
        ("00", None),
        ("99", None),
        ("01", "1 ou 2 salariés"),
        ("02", "entre 3 et 5 salariés"),
        ("12", "entre 20 et 49 salariés"),
        ("42", "entre 1 000 et 1 999 salariés"),
        ("53", "10 000 salariés ou plus"),
    ],
)
def test_a_headcount_is_a_phrase_and_nothing_where_nothing_is_known(
    tranche: str | None, phrase: str | None
) -> None:
    found = effectif(tranche)
    assert (found and found.replace("\u00a0", " ")) == phrase


def test_a_siret_is_grouped_and_anything_else_is_not_shown() -> None:
    assert numero("12345678900012") == "123\u00a0456\u00a0789\u00a000012"
    assert numero("") is None
    assert numero("1234567890001A") is None


def test_the_reference_tables_have_no_line_without_a_label() -> None:
    data = Path(__file__).parents[4] / "services" / "reviewer" / "french" / "data"
    for table in data.glob("*.csv"):
        with table.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                assert all(value.strip() for value in row.values()), (table.name, row)
