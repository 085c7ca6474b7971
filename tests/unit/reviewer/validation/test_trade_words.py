"""A trade keeps its everyday words where NAF 2025 names it in other words than NAF rev. 2."""

import re
from collections.abc import Callable

import pytest

from services.reviewer.french.data import metiers
from services.reviewer.validation import validate
from shared.sirene.facts import Facts
from shared.sirene.reference import libelles_de

FactsLike = Callable[..., Facts]
_TRADES = {
    "éleveur": ("01.49Z", "01.48H 01.48J"),
    "boulanger": ("10.71C", "10.71H"),
    "pâtissier": ("10.71D", "10.71H 10.71J"),
    "imprimeur": ("18.12Z", "18.12Y"),
    "menuisier": ("43.32B", "43.32H"),
    "peintre": ("43.34Z", "43.34G"),
    "maçon": ("43.99C", "43.91Y"),
    "épicier": ("47.11B", "47.11G"),
    "boucher": ("47.22Z", "47.22Y"),
    "poissonnier": ("47.23Z", "47.23Y"),
    "caviste": ("47.25Z", "47.25Y"),
    "buraliste": ("47.26Z", "47.26Y"),
    "quincaillerie": ("47.52A", "47.52G 47.52H"),
    "libraire": ("47.61Z", "47.61Y"),
    "papeterie": ("47.62Z", "47.62Y"),
    "pharmacien": ("47.73Z", "47.73Y"),
    "opticien": ("47.78A", "47.74G"),
    "fleuriste": ("47.76Z", "47.76Y"),
    "bijoutier": ("47.77Z", "47.77Y"),
    "taxi": ("49.32Z", "49.33G"),
    "transporteur": ("49.41A", "49.41G 49.41H"),
    "restaurateur": ("56.10B", "56.11H"),
    "café": ("56.30Z", "56.30Y"),
    "agence": ("68.31Z", "68.31Y"),
    "comptabilité": ("69.20Z", "69.20Y"),
    "intérim": ("78.20Z", "78.20G"),
    "paysagiste": ("81.30Z", "81.30Y"),
    "médecin": ("86.21Z", "86.21Y"),
    "dentiste": ("86.23Z", "86.23Y"),
    "ambulancier": ("86.90A", "86.92Y"),
    "infirmier": ("86.90D", "86.94G"),
    "cordonnier": ("95.23Z", "95.23Y"),
    "garagiste": ("45.20A", "95.31G 95.31H"),
    "coiffeur": ("96.02A", "96.21G 96.21H"),
}


def _reasons(facts_like: FactsLike, word: str, libelle: str) -> object:
    text = (
        "MARTIN est une société à responsabilité limitée (SARL) dont le siège se trouve à Vannes, "
        f"dans le Morbihan. Son métier est celui-ci : {word}. Elle a été créée en 2011 et déclare "
        "1 ou 2 salariés."
    )
    return validate(text, facts_like(nom="MARTIN", activite=libelle)).reasons


@pytest.mark.parametrize("word", _TRADES)
def test_a_word_of_a_trade_stays_accepted_under_naf_2025(facts_like: FactsLike, word: str) -> None:
    rev_2, naf_2025 = _TRADES[word]
    assert not _reasons(facts_like, word, libelles_de("NAFRev2")[rev_2])
    for code in naf_2025.split():
        assert not _reasons(facts_like, word, libelles_de("NAF2025")[code])


def test_a_word_of_another_trade_stays_refused(facts_like: FactsLike) -> None:
    for code in ("43.34H", "43.41J", "47.24Y", "96.22Y"):
        assert _reasons(facts_like, "coiffeur", libelles_de("NAF2025")[code])
    assert _reasons(facts_like, "peintre", libelles_de("NAF2025")["43.34H"])


def test_each_code_of_naf_2025_with_words_has_a_label() -> None:
    codes = {code for code in metiers() if re.fullmatch(r"\d\d\.\d\d[GHJKLY]", code)}
    assert codes
    assert codes <= libelles_de("NAF2025").keys()
