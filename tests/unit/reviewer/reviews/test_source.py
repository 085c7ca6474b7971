"""A review comes with all that the law asks for, or not at all."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.reviewer.reviews.authors import warning_about
from services.reviewer.reviews.files import Refusal, read_reviews
from services.reviewer.reviews.source import Source, Verification, sources_hash
from shared.days import FRANCE
from shared.db.tables.texts import sources
from tests.unit.reviewer.reviews.reviews import TERMS, source

OTHERS = {
    "verification": Verification.CONTENT,
    "counterpart": True,
    "author_contact": False,
    "publication_days": 8,
    "retention_days": 2000,
}
TODAY = dt.datetime.now(FRANCE).date()


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("verification", "x", "verification"),
        ("verification_description", "x", "says too little"),
        ("verification_description", None, "how are reviews checked"),
        ("verification", "none", "describes a check, and verification is none"),
        ("counterpart", "x", "counterpart"),
        ("counterpart", None, "counterpart"),
        ("publication_days", -1, "publication_days"),
        ("retention_days", 0, "retention_days"),
        ("retention_days", None, "retention_days"),
        ("experienced_on", None, "experienced_on"),
        ("experienced_on", "2026-04-01", "experienced_on is later"),
        ("updated_on", "2026-01-01", "updated_on is earlier"),
        ("updated_on", "2999-01-01", "lies in the future"),
        ("url", "https://avis.example/", "the review's own"),
        ("url", "javascript:alert(1)", "no address of the web"),
        ("url", "https://a:b@avis.example/1", "no address of the web"),
        ("url", "https://avis.example/1<script>", "characters that an address"),
        ("url", "https://192.168.0.1/avis/1", "that readers can open"),
        ("url", "https://[::1]/avis/1", "that readers can open"),
        ("url", "https://localhost:8000/avis/1", "that readers can open"),
        ("url", "https://avis.internal/avis/1", "that readers can open"),
        ("url", "https://серв.example/avis/1", "that readers can open"),
        ("url", "https://avis.example/1?x=%3Cscript%3E", "characters that an address"),
        ("url", "https://avis.example/1?access_token=abc", "password or key"),
        ("doubt_url", "https://10.0.0.1/signaler", "that readers can open"),
        ("doubt_url", "x", "no address of the web"),
        ("author_label", "Marie » dit l’éditeur « Bien", "marks of quotation"),
        ("author_label", "&lt;b&gt;Marie", "holds markup"),
        ("site", "Avis [Exemple](https://x.example)", "holds markup"),
        ("site", "Аvis Exemple", "not Latin"),
        ("verification_description", "javascript:alert(1) sur la facture", "holds markup"),
        ("refusal_grounds", "oui", "says too little"),
        ("modification", "<b>par l’auteur, à tout moment</b>", "holds markup"),
        ("site", " ", "is empty"),
        ("verbatim", " \n ", "is empty"),
        ("verbatim", "a\0b", "cannot be stored"),
        ("verbatim", "a" * 10_001, "verbatim"),
    ],
)
def test_a_particular_that_says_nothing_is_refused(field: str, value: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        source(**{field: value})


@pytest.mark.parametrize("field", Source.model_fields)
def test_every_particular_has_to_be_given(field: str) -> None:
    given = {name: value for name, value in source().columns().items() if name != field}
    with pytest.raises(ValidationError, match=field):
        Source.model_validate(given)


def test_a_review_beyond_its_site_s_own_retention_is_refused() -> None:
    old: dict[str, Any] = {
        "published_on": TODAY - dt.timedelta(days=31),
        "experienced_on": "2025-01-01",
    }
    assert source(**old, retention_days=31)
    with pytest.raises(ValidationError, match="further back than retention_days"):
        source(**old, retention_days=30)


@pytest.mark.parametrize("field", [*TERMS, "url", "licence", "author_label", "verbatim"])
def test_every_change_of_a_review_renews_the_text(field: str) -> None:
    other = OTHERS.get(field, "other")
    assert sources_hash([source().model_copy(update={field: other})]) != sources_hash([source()])


def test_the_order_of_import_does_not_matter() -> None:
    assert sources_hash([source(0), source(1)]) == sources_hash([source(1), source(0)])


def test_a_review_is_known_by_its_site_and_its_id() -> None:
    assert source(0, verbatim="Autre chose.").digest == source(0).digest
    assert source(0, site="Autre").digest != source(0).digest
    assert source(0, review_id="autre").digest != source(0).digest


def test_the_table_has_a_column_for_each_particular_and_knows_each_check() -> None:
    assert set(Source.model_fields) <= set(sources.c.keys())
    [check] = sources.c.verification.constraints
    assert all(f"'{each}'" in str(getattr(check, "sqltext", "")) for each in Verification)


@pytest.mark.parametrize(
    ("author", "warns"),
    [
        ("le gérant", True),
        ("La Direction", True),
        ("Éditeur", True),
        ("L’équipe", True),
        ("Atelier Dupont", True),
        ("DUPONT", True),
        ("Zélie Dupont", True),
        ("Marie D.", False),
        ("Atelier78", False),
        ("Dupontel", False),
    ],
)
def test_an_author_who_may_be_the_firm_or_the_site_is_warned_of(author: str, warns: bool) -> None:
    warning = warning_about(author, ["ATELIER DUPONT", "SARL AD"])
    assert (warning is not None) == warns
    assert author not in (warning or "")


def test_the_example_of_the_manual_is_a_review(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[4] / "docs" / "operations.md").read_text("utf-8")
    example = manual.split("\n## Reviews\n")[1].split("```json\n")[1].split("```")[0]
    file = tmp_path / "reviews.jsonl"
    file.write_text(json.dumps(json.loads(example)), "utf-8")
    [(_, read)] = [each for each in read_reviews(file) if not isinstance(each, Refusal)]
    assert read.columns().keys() == json.loads(example).keys() - {"format"}
