"""A verb after its subject is in the present: no accent makes a participle of it."""

import pytest

from shared.sirene.names import display_form
from shared.sirene.names.verbs import present


@pytest.mark.parametrize(
    ("registered", "shown"),
    [
        ("LE CHIEN QUI FUME", "Le Chien Qui Fume"),
        ("LE COQ QUI CHANTE", "Le Coq Qui Chante"),
        ("LA VACHE QUI RIT", "La Vache Qui Rit"),
        ("UN COEUR QUI BAT", "Un Cœur Qui Bat"),
        ("LE CHAT QUI PECHE", "Le Chat Qui Pêche"),
        ("LE SOLEIL QUI SE LEVE", "Le Soleil Qui Se Lève"),
        ("LES MAINS QUI CREENT", "Les Mains Qui Créent"),
        ("LE CHIEN QUI A FUME", "Le Chien Qui A Fumé"),
        ("ON MANGE ICI", "On Mange Ici"),
        ("TOUT CE QUI BRILLE", "Tout Ce Qui Brille"),
        ("J AIME LIRE", "J'aime Lire"),
    ],
)
def test_a_verb_after_its_subject_is_in_the_present(registered: str, shown: str) -> None:
    assert display_form(registered) == shown


@pytest.mark.parametrize(
    "registered", ["LE LOUP QUI ZOUZE", "LA TERRE FUME", "ELLE DORE", "LA OU CHANTE LA MER"]
)
def test_what_may_be_a_verb_leaves_the_name_as_registered(registered: str) -> None:
    assert display_form(registered) == registered


@pytest.mark.parametrize(
    ("registered", "shown"),
    [
        ("LE POISSON FUME", "Le Poisson Fumé"),
        ("AU PAIN DORE", "Au Pain Doré"),
        ("LE MARCHE", "Le Marché"),
        ("LA CITE", "La Cité"),
        ("ELLE BEAUTE", "Elle Beauté"),
        ("CE RENAULT", "CE Renault"),
    ],
)
def test_other_words_keep_their_accents(registered: str, shown: str) -> None:
    assert display_form(registered) == shown


@pytest.mark.parametrize(
    ("registered", "shown"),
    [
        ("AU PECHE MIGNON", "Au Péché Mignon"),
        ("LA PECHE", "La Pêche"),
        ("COMPTOIR DU PATE", "Comptoir du Pâté"),
        ("LA PATE A PIZZA", "La Pâte à Pizza"),
        ("LE RELEVE", "Le Relevé"),
        ("LE COTE", "Le Côté"),
        ("LA COTE", "La Côte"),
        ("COTE JARDIN", "COTE JARDIN"),
    ],
)
def test_the_article_parts_nouns_that_differ_by_accents_alone(registered: str, shown: str) -> None:
    assert display_form(registered) == shown


@pytest.mark.parametrize(
    ("key", "form"),
    [
        ("FUME", "fume"),
        ("REPETE", "répète"),
        ("LEVE", "lève"),
        ("RESTE", "reste"),
        ("CREE", "crée"),
        ("MARCHENT", "marchent"),
        ("PLAIT", "plaît"),
        ("BEAUTE", None),
        ("VITE", None),
    ],
)
def test_the_present_is_made_of_the_infinitive(key: str, form: str | None) -> None:
    assert present(key) == form
