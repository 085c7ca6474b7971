"""Articles, elision and gender agree with pyrealb, which has its own lexicon and rules."""

import pytest
from pyrealb import NP, PP, A, D, N, P, getLemma, loadFr

from services.reviewer.french.data import FormeJuridique, Genre, formes_juridiques
from services.reviewer.french.grammar import de_le, elides, le
from services.reviewer.french.phrases import _HEADS


@pytest.fixture(autouse=True, scope="module")
def _french() -> None:
    loadFr()


def _gender(noun: str) -> str | None:
    """Return m, f, x for both, None for a noun that the oracle does not know."""
    entry = getLemma(noun)
    return None if entry is None or "N" not in entry else str(entry["N"]["g"])


_SINGULAR = [(noun, genre) for noun, (genre, plural) in sorted(_HEADS.items()) if not plural]


@pytest.mark.parametrize(("noun", "genre"), _SINGULAR)
def test_an_activity_has_its_article(noun: str, genre: Genre) -> None:
    gender = _gender(noun)
    if gender is None:
        assert noun not in {"commerce", "fabrication", "transport"}
        return
    assert gender in {genre, "x"}
    group = NP(D("le"), N(noun))
    assert le(noun, genre) == group.realize().replace("'", "’")
    assert de_le(noun, genre) == PP(P("de"), group).realize().replace("'", "’")


@pytest.mark.parametrize("form", formes_juridiques().values(), ids=lambda form: form.code)
def test_a_legal_form_has_the_gender_of_its_first_noun(form: FormeJuridique) -> None:
    head = form.libelle.split(" ")[0].split("-")[0]
    gender = _gender(head)
    assert gender in {form.genre, "x", None}
    if gender is not None:
        expected = PP(P("de"), NP(D("le"), N(head))).realize().replace("'", "’")
        assert de_le(head, form.genre) == expected


@pytest.mark.parametrize("adjective", ["implanté", "rattaché", "situé", "enregistré"])
@pytest.mark.parametrize("noun", ["société", "groupement", "association", "syndicat"])
def test_participles_agree(noun: str, adjective: str) -> None:
    gender = _gender(noun)
    realized = NP(D("un"), N(noun), A(adjective) if getLemma(adjective) else A("grand")).realize()
    une, _, said = realized.split(" ")
    assert une == ("une" if gender == "f" else "un")
    assert said.endswith("e") is (gender == "f") or not getLemma(adjective)


@pytest.mark.parametrize(
    "noun",
    """
    habitat hôpital horlogerie huile homme hameau hangar hôtel histoire héron hêtre horizon
    hirondelle herboristerie hippodrome humanité hiver honneur hostellerie hermine héritier
    hypnose habit horticulture hublot haie halle haricot hasard herse hibou homard houblon
    """.split(),  # noqa: SIM905 a word list
)
def test_a_noun_in_h_is_elided_where_the_oracle_elides_it(noun: str) -> None:
    assert _gender(noun) is not None
    assert elides(noun) is PP(P("de"), N(noun)).realize().startswith("d'")
