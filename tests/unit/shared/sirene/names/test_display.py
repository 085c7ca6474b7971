"""A name in French case: what is certain is changed, what is unsure stays as registered."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sirene.names import Name, display_form
from shared.sirene.names.display import display_person
from shared.sirene.names.lexicon import fold
from shared.sirene.reference import communes
from tests.unit.shared.sirene.names.letters import letters


def _registered(nom: str) -> tuple[str, str]:
    """Return the name of a commune's unit as INSEE registers it, and as French writes it."""
    capitals = " ".join(re.findall(r"[A-Z0-9]+", fold(nom)))
    for article, of in (("Le ", "DU"), ("Les ", "DES")):
        if nom.startswith(article):
            length = len(article)
            shown = f"Commune {of.lower()} {nom[length:]}"
            return f"COMMUNE {of} {capitals[length:]}", shown
    if capitals[0] in "AEIOU":
        return f"COMMUNE D {capitals}", f"Commune d'{nom}"
    return f"COMMUNE DE {capitals}", f"Commune de {nom}"


def test_every_commune_has_the_spelling_of_the_cog() -> None:
    wrong = []
    for code, commune in communes().items():
        registered, expected = _registered(commune.nom)
        shown = display_form(registered, code_commune=code)
        if shown != expected:
            wrong.append((shown, expected))
    assert wrong == []


@pytest.mark.parametrize(
    ("registered", "shown"),
    [
        ("COMMUNE DE L HAY LES ROSES", "Commune de L'Haÿ-les-Roses"),
        ("Chez LuLu", "Chez LuLu"),
        ("BOULANGERIE DU MARCHE", "Boulangerie du Marché"),
        ("LA MARCHE DU SIECLE", "La Marche du Siècle"),
        ("SCI LES TROIS CHENES", "SCI Les Trois Chênes"),
        ("GARAGE LE GOFF", "Garage Le Goff"),
        ("SARL XKCD", "SARL XKCD"),
        ("LOUIS XIV", "Louis XIV"),
        ("L HERISSON", "L Hérisson"),
        ("L'HERBE BLEUE", "L'Herbe Bleue"),
        ("J L AUTO", "J L Auto"),
        ("PIZZA A EMPORTER", "Pizza à Emporter"),
        ("GARAGE A MARTIN", "Garage A Martin"),
        ("WWW.PAIN.FR", "WWW.PAIN.FR"),
        ("THE BLUE OCEAN", "The Blue Ocean"),
        ("PRODIGEM", "PRODIGEM"),
        ("MAIRIE", "Mairie"),
        ("THE ET CAFE", "Thé et Café"),
        ("LE CARRE D OR", "Le Carré d'Or"),
        ("RESTAURANT", "Restaurant"),
        ("ÉCOLE DE MUSIQUE", "École de Musique"),
        ("AMBULANCES ST CHRISTOPHE", "Ambulances Saint-Christophe"),
        ("ECOLE STE THERESE", "École Sainte-Thérèse"),
        ("ST CONSEIL", "ST Conseil"),
        ("CAISSE DES ECOLES DU 18EME", "Caisse des Écoles du 18e"),
        ("LA 1ERE FOIS", "La 1re Fois"),
        ("IMPRIMERIE DU XXE SIECLE", "Imprimerie du XXe Siècle"),
        ("SOCIETE COMMUNALE DE CHASSE", "Société communale de Chasse"),
        ("COMITE DE JUMELAGE THOUARE", "Comité de Jumelage Thouaré"),
        ("CLUB NIVEAU SUPERIEUR", "Club Niveau Supérieur"),
        ("H&M HENNES & MAURITZ", "H&M Hennes & Mauritz"),
        ("L AUBERT PLOMBERIE", "L Aubert Plomberie"),
        ("EARL DE LA HAUTE BORNE", "EARL de la Haute Borne"),
        ("LE CLOS DE LA FONTAINE SAINT MARTIN", "Le Clos de la Fontaine Saint-Martin"),
        ("D ANDRE TRANSPORTS", "D André Transports"),
        ("CABINET DU DOCTEUR BRECHARD", "Cabinet du Docteur BRECHARD"),
        ("", ""),
    ],
)
def test_a_name_is_shown_in_french_case(registered: str, shown: str) -> None:
    assert display_form(registered) == shown


@pytest.mark.parametrize(
    "registered",
    [
        "MC DONALD S FRANCE",
        "INSTITUT ENERCOOPAL",
        "DIWAN BRO LEON",
        "RENOVATION HOUSEKEEPING",
        "COTE PLAGE",
        "QUAND MEME",
        "MARCHE NORDIQUE",
        "MACON PRIMEURS",
        "LE CHAT PERCHE",
        "SEPHORA",
        "GAEC DE TY NEVEZ",
    ],
)
def test_a_name_with_a_word_of_unsure_spelling_stays(registered: str) -> None:
    assert display_form(registered) == registered


def test_the_acronym_of_the_unit_stays() -> None:
    assert display_form("MARTEL CONSEIL", sigle="MARTEL") == "MARTEL Conseil"


@pytest.mark.parametrize(
    ("registered", "shown"),
    [
        ("JEAN PIERRE DE LA TOUR", "Jean Pierre de La Tour"),
        ("HELENE LE GOFF", "Hélène Le Goff"),
        ("PATRICK MCDONALD", "Patrick McDonald"),
        ("STEPHANE D ORMESSON", "Stéphane d'Ormesson"),
        ("ANNE-SOPHIE LEVEQUE", "Anne-Sophie Leveque"),
        ("SEAN O BRIEN", "Sean O'Brien"),
        ("LY NG", "Ly Ng"),
    ],
)
def test_a_person_has_a_capital_for_each_name(registered: str, shown: str) -> None:
    assert display_person(registered) == shown
    assert Name(registered, "personne").display == shown


@given(st.text(max_size=80))
def test_any_text_keeps_its_letters(text: str) -> None:
    for show in (display_form, display_person):
        assert letters(show(text)) == letters(text)


@given(
    st.lists(
        st.sampled_from(
            [
                "L",
                "D",
                "A",
                "ST",
                "SAINT",
                "DE",
                "LA",
                "LE",
                "DU",
                "MARCHE",
                "HAY",
                "QU",
                "MC",
                "X",
                "1ER",
            ]
        )
    )
)
def test_any_row_of_small_words_keeps_its_letters(words: list[str]) -> None:
    registered = " ".join(words)
    for show in (display_form, display_person):
        assert letters(show(registered)) == letters(registered)
