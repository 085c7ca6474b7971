"""The night of NAF 2025: one establishment before it, and in the forms that INSEE may send."""

import json
from pathlib import Path

import pytest

from services.reviewer.notices.template import generate
from services.reviewer.validation import validate
from shared.sirene.facts import Facts, facts_hash
from shared.sirene.mapping.mapper import map_record
from shared.sirene.pages import facts_of, page_of
from shared.sirene.records import Page

_RECORDS = Path(__file__).parents[3] / "fixtures" / "register"
_AFTER = (
    "naf_after.jsonl",
    "naf_after_as_naf25.jsonl",
    "naf_after_as_others.jsonl",
)


def _read(file_name: str) -> list[tuple[Page, Facts]]:
    found = []
    for line in (_RECORDS / file_name).read_text(encoding="utf-8").splitlines():
        mapped = map_record(json.loads(line))
        page = page_of(mapped.etablissement, mapped.unite)
        assert page is not None
        found.append((page, facts_of(mapped.etablissement, mapped.unite, page)))
    return found


_BEFORE_PAGE, _BEFORE = _read("naf_before.jsonl")[0]
_ALL = [pair for name in _AFTER for pair in _read(name)]
_EQUAL_WORDS = [pair for pair in _ALL if pair[0].activite_principale != "70.10Z"]


def test_every_form_was_read() -> None:
    codes = [page.activite_principale for page, _ in _ALL]
    assert codes == ["43.22G"] * 5 + ["4322G", "70.10Z"]


@pytest.mark.parametrize(("page", "facts"), _EQUAL_WORDS)
def test_equal_words_are_the_same_page_and_ask_for_no_new_text(page: Page, facts: Facts) -> None:
    assert (page.slug, page.libelle_activite) == (_BEFORE_PAGE.slug, _BEFORE_PAGE.libelle_activite)
    assert facts == _BEFORE
    assert facts_hash(facts) == facts_hash(_BEFORE)


def test_other_words_ask_for_a_new_text() -> None:
    (facts,) = [facts for page, facts in _ALL if page.activite_principale == "70.10Z"]
    assert facts.activite == "Activités des sièges sociaux"
    assert facts_hash(facts) != facts_hash(_BEFORE)


@pytest.mark.parametrize("facts", [_BEFORE, *(facts for _, facts in _ALL)])
def test_every_form_gets_a_text_with_its_activity(facts: Facts) -> None:
    text = generate(facts, 2026).text
    assert validate(text, facts).accepted
    assert "eau et de gaz" in text or "sièges sociaux" in text
