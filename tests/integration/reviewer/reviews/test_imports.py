"""Reviews that are imported: kept, changed, refused by line, and named as sources."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from shared.db.tables import unites_legales
from tests.integration.reviewer.conftest import Register
from tests.integration.reviewer.reviewers import run_command
from tests.integration.reviewer.reviews.conftest import (
    REVIEW,
    SIRET,
    Reviews,
    places_of,
    review,
    sirenade,
    synthese,
)

FORMER = {
    "siret": SIRET,
    "url": "https://avis.example/",
    "licence": "CC BY 4.0",
    "author_label": "Marie D.",
    "published_on": "2026-03-03",
    "verification": "x",
    "verbatim": "Un atelier soigné.",
}


def test_an_imported_review_is_quoted_and_a_further_one_renews_the_text(
    register: Register, reviews: Reviews, reviewer: ShardReviewer
) -> None:
    register.add(range(1, 2))
    done = reviews.import_(REVIEW)
    assert (done.returncode, done.stdout) == (0, "1 new, 0 changed, 0 kept already, 0 refused\n")
    reviewer.work([synthese(register)["id"]])
    first = synthese(register)
    assert first["outcome"] == "accepted"
    assert "«\u00a0Un atelier soigné.\u00a0» (Marie D.," in first["text"]
    assert first["label"].startswith("Synthèse générée automatiquement")
    assert first["digital_source_type"] == "algorithmicMedia"

    assert reviews.import_(REVIEW).stdout == "0 new, 0 changed, 1 kept already, 0 refused\n"
    assert synthese(register)["outcome"] == "accepted", "nothing new: nothing is written again"

    reviews.import_(review(2))
    reviewer.work([synthese(register)["id"]])
    assert synthese(register)["text"].startswith("2 avis")


def test_a_csv_with_a_byte_order_mark_is_read_too(
    register: Register, database_url: str, tmp_path: Path
) -> None:
    register.add(range(1, 2))
    file = tmp_path / "reviews.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, REVIEW)
        writer.writeheader()
        writer.writerow({**REVIEW, "updated_on": "", "verbatim": "Un atelier\r\nsoigné."})
    assert sirenade(database_url, "import", str(file)).returncode == 0
    [source] = register.rows("SELECT * FROM sources")
    assert (source["verbatim"], source["updated_on"]) == ("Un atelier\nsoigné.", None)
    assert (source["verification"], source["counterpart"]) == ("purchase", False)


def test_a_changed_verbatim_is_an_update_and_not_a_second_review(
    register: Register, reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW)
    reviewer.work([synthese(register)["id"]])
    silent = reviews.import_({**REVIEW, "verbatim": "Moins bien."})
    assert "line 1: the review is stored with other words: give the day" in silent.stderr
    updated = {**REVIEW, "verbatim": "Moins bien.", "updated_on": "2026-04-01"}
    assert reviews.import_(updated).stdout == "0 new, 1 changed, 0 kept already, 0 refused\n"
    assert places_of("atelier soigné", engine) == set(), "the author took these words back"
    reviewer.work([synthese(register)["id"]])
    text = synthese(register)["text"]
    assert text.startswith("Un avis, ")
    assert "Moins bien." in text
    assert "mis à jour le 1er avril 2026" in text
    older = reviews.import_(REVIEW)
    assert "line 1: a later update of the review is stored" in older.stderr
    assert len(register.rows("SELECT * FROM sources")) == 1


def test_a_changed_particular_renews_the_text(
    register: Register, reviews: Reviews, reviewer: ShardReviewer
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW)
    reviewer.work([synthese(register)["id"]])
    done = reviews.import_({**REVIEW, "licence": "CC BY-SA 4.0", "counterpart": True})
    assert done.stdout == "0 new, 1 changed, 0 kept already, 0 refused\n"
    reviewer.work([synthese(register)["id"]])
    row = synthese(register)
    assert "CC BY-SA 4.0" in row["text"]
    assert "déposés contre une contrepartie" in row["label"]


def test_json_ld_names_the_sources_of_the_quotations(
    register: Register, reviews: Reviews, reviewer: ShardReviewer
) -> None:
    register.add(range(1, 2))
    reviews.import_(
        {**REVIEW, "updated_on": "2026-03-09"}, review(2, verbatim="Demandez Julie Morel.")
    )
    reviewer.work([synthese(register)["id"]])
    done = run_command(reviews.database_url, "avis", "show", SIRET, "--json-ld")
    [work] = json.loads(done.stdout)
    sirene, *origins = work["isBasedOn"]
    assert sirene["@type"] == "Dataset"
    assert origins == [
        {
            "@type": "CreativeWork",
            "url": "https://avis.example/1",
            "identifier": "1",
            "author": {"@type": "Person", "name": "Marie D."},
            "publisher": {"@type": "Organization", "name": "Avis Exemple"},
            "license": "CC BY 4.0",
            "temporalCoverage": "2026-03-01",
            "datePublished": "2026-03-03",
            "dateModified": "2026-03-09",
        }
    ]
    shown = run_command(reviews.database_url, "avis", "show", SIRET)
    assert "not quotable, person_name" in " ".join(shown.stdout.split())


def test_a_review_of_the_first_format_is_kept_and_quoted_once_it_is_imported_again(
    register: Register, reviews: Reviews, reviewer: ShardReviewer
) -> None:
    register.add(range(1, 2))
    register.execute(f"""
        INSERT INTO sources (digest, siret, siren, url, licence, author_label, published_on,
          verification_description, verbatim)
        VALUES ('\\x01', '{SIRET}', '000000001', 'https://avis.example/', 'CC BY 4.0', 'Marie D.',
          '2026-03-03', 'x', 'Un atelier soigné.')
    """)
    reviews.import_(review(2))
    reviewer.work([synthese(register)["id"]])
    assert synthese(register)["text"].startswith("Un avis")
    assert len(register.rows("SELECT * FROM sources")) == 2
    assert reviews.import_(REVIEW).stdout == "1 new, 0 changed, 0 kept already, 0 refused\n"
    assert len(register.rows("SELECT * FROM sources")) == 2
    reviewer.work([synthese(register)["id"]])
    assert synthese(register)["text"].startswith("2 avis")


def test_a_file_of_the_first_format_is_refused_with_one_line_that_says_what_to_add(
    register: Register, reviews: Reviews
) -> None:
    register.add(range(1, 2))
    done = reviews.import_(FORMER, FORMER)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not of format 2: add format, site, verification_description" in done.stderr
    assert "doubt_url" in done.stderr
    assert register.rows("SELECT * FROM sources") == []
    mixed = reviews.import_(REVIEW, FORMER)
    assert "line 2: is not of format 2" in mixed.stderr


def test_an_author_named_like_the_firm_is_warned_of_and_kept(
    register: Register, reviews: Reviews
) -> None:
    register.add(range(1, 2))
    done = reviews.import_(
        {**REVIEW, "author_label": "Atelier Dupont 1"}, review(2, author_label="La gérante")
    )
    assert (done.returncode, done.stdout) == (0, "2 new, 0 changed, 0 kept already, 0 refused\n")
    assert (
        "line 1: warning: the author is named like the firm: the review is not quoted\n"
        in done.stderr
    )
    assert "line 2: warning: the author is named like the firm's or the site's" in done.stderr
    assert "gérante" not in done.stderr


def test_who_must_not_be_written_about_is_not_reviewed_either(
    register: Register, reviews: Reviews
) -> None:
    register.add(range(1, 6))
    register.change(unites_legales, register.siren(1), statut_diffusion="P")
    register.oppose(register.siren(2))
    register.change(unites_legales, register.siren(5), categorie_juridique="1000")
    done = reviews.import_(
        *(review(number, siret=f"{register.siren(number)}00011") for number in (1, 2, 3, 5, 6))
    )
    assert done.returncode == 1
    assert done.stdout == "1 new, 0 changed, 0 kept already, 4 refused\n"
    for line, reason in (
        (1, "its unit must not be written about"),
        (2, "its unit must not be written about"),
        (4, "the establishment is a sole trader's: reviews of it are a person's data"),
        (5, "the establishment is not stored"),
    ):
        assert f"line {line}: {reason}\n" in done.stderr
    assert [row["siret"] for row in register.rows("SELECT siret FROM sources")] == [
        f"{register.siren(3)}00011"
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2: is no JSON object"),
        ({**REVIEW, "siret": "12"}, "line 2: siret value error, is not a siret"),
        ({**REVIEW, "verbatim": " "}, "line 2: verbatim value error, is empty"),
        (
            {**REVIEW, "url": "javascript:alert(1)"},
            "line 2: url value error, is no address of the web",
        ),
        (
            {**REVIEW, "published_on": "2999-01-01"},
            "line 2: value error, published_on or updated_on lies in",
        ),
        ({**REVIEW, "experienced_on": "2026-04-01"}, "experienced_on is later"),
        ({**REVIEW, "stars": 5}, "line 2: stars extra inputs are not permitted"),
        ({k: v for k, v in REVIEW.items() if k != "licence"}, "line 2: licence field required"),
    ],
)
def test_a_bad_line_is_named_and_costs_only_itself(
    register: Register, reviews: Reviews, line: Any, reason: str
) -> None:
    register.add(range(1, 2))
    done = reviews.import_(REVIEW, line)
    assert done.returncode == 1
    assert done.stdout == "1 new, 0 changed, 0 kept already, 1 refused\n"
    assert reason in done.stderr
    assert "soigné" not in done.stderr, "what somebody wrote is in no message"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.jsonl", None, "cannot read"),
        ("latin.jsonl", b'{"verbatim": "caf\xe9"}', "it is not UTF-8"),
        ("half.csv", b"format,siret,url\n", "lacks the columns author_contact, author_label"),
        ("former.csv", b"siret,url\n", "is not of format 2: add format, site"),
    ],
)
def test_a_file_that_is_none_is_one_clear_line(
    database_url: str, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = sirenade(database_url, "import", str(tmp_path / name))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
