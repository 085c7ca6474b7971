"""Imported reviews, and the synthese that quotes them: written, renewed, taken back, erased."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, RowMapping, text

from services.reviewer.actors import ShardReviewer
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.editors.orders import Editor
from services.reviewer.reviews.synthese import generate
from services.reviewer.reviews.validation import validate_synthese
from services.reviewer.store import claim, store
from services.reviewer.texts.attempts import attempt
from services.reviewer.texts.author import Author
from services.reviewer.texts.holds import HoldRules
from services.reviewer.texts.rulings import AvisResult
from services.reviewer.validation import Verdict, validate
from shared.avis import OrderVerb, TextOrder
from shared.avis_orders import place_order
from shared.clock import Clock
from shared.db.tables import metadata, unites_legales
from shared.metrics import Metrics
from tests.conditions import wait_until
from tests.integration.reviewer.reviewers import Finished, run_command
from tests.unit.reviewer.reviews.reviews import TERMS

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

SIRET = "00000000100011"
REVIEW: dict[str, Any] = {
    **TERMS,
    "format": 2,
    "siret": SIRET,
    "review_id": "1",
    "url": "https://avis.example/1",
    "licence": "CC BY 4.0",
    "author_label": "Marie D.",
    "published_on": "2026-03-03",
    "experienced_on": "2026-03-01",
    "updated_on": None,
    "verbatim": "Un atelier soigné.",
}
FORMER = {
    "siret": SIRET,
    "url": "https://avis.example/",
    "licence": "CC BY 4.0",
    "author_label": "Marie D.",
    "published_on": "2026-03-03",
    "verification": "x",
    "verbatim": "Un atelier soigné.",
}


_WAITING_FOR_A_TABLE = """
    SELECT FROM pg_locks WHERE NOT granted AND mode = 'ExclusiveLock' AND locktype = 'relation'
"""


def review(number: int, **values: Any) -> dict[str, Any]:
    url = f"https://avis.example/{number}"
    return {
        **REVIEW,
        "review_id": str(number),
        "url": url,
        "verbatim": f"Numéro {number}.",
        **values,
    }


def sirenade(database_url: str, *arguments: str) -> Finished:
    return run_command(database_url, "reviews", *arguments)


class Reviews:
    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.file = folder / "reviews.jsonl"

    def import_(self, *reviews: Any) -> Finished:
        lines = [each if isinstance(each, str) else json.dumps(each) for each in reviews]
        self.file.write_text("\n".join(lines), "utf-8")
        return sirenade(self.database_url, "import", str(self.file))


@pytest.fixture
def reviews(database_url: str, tmp_path: Path) -> Reviews:
    return Reviews(database_url, tmp_path)


@pytest.fixture
def reviewer(engine: Engine, author: Author, clock: Clock, metrics: Metrics) -> ShardReviewer:
    return ShardReviewer(
        engine=engine,
        generators=ThreadPoolExecutor(2),
        author=author,
        clock=clock,
        metrics=metrics,
        lease_seconds=60,
        sole_traders=False,
    )


def places_of(words: str, engine: Engine) -> set[str]:
    """Return the tables with a row that holds these words."""
    with engine.connect() as connection:
        return {
            table.name
            for table in metadata.sorted_tables
            if connection.scalar(
                text(f"SELECT 1 FROM {table.name} t WHERE t::text LIKE :words LIMIT 1"),
                {"words": f"%{words}%"},
            )
        }


def claimed_result(register: "Register", reviewer: ShardReviewer, engine: Engine) -> AvisResult:
    """Return the synthese that a reviewer has written and not yet stored."""
    ids = [synthese(register)["id"]]
    [claimed], _ = claim(engine, ids, lease_seconds=60, prompt_version="", sole_traders=False)
    facts, sources = claimed.facts, claimed.sources
    assert sources is not None
    quotation = attempt(
        lambda: generate(facts, sources),
        lambda text: Verdict(validate_synthese(text, facts, sources)),
        reviewer.clock.monotonic_seconds,
    )
    return AvisResult(claim=claimed, attempts=(quotation,), label="")


def synthese(register: "Register") -> RowMapping:
    [row] = register.rows("SELECT * FROM avis WHERE kind = 'synthese'")
    return row


def test_an_imported_review_is_quoted_and_a_further_one_renews_the_text(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer
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
    register: "Register", database_url: str, tmp_path: Path
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


def test_without_a_review_left_there_is_no_text_and_the_outcome_says_why(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW)
    reviewer.work([synthese(register)["id"]])
    done = sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    assert done.stdout == "1 reviews deleted\n"
    assert synthese(register)["text"] is None, "it is gone before the reviewer comes to it"
    reviewer.work([synthese(register)["id"]])
    left = synthese(register)
    assert (left["outcome"], left["text"]) == ("no_reviews", None)


def test_a_withdrawn_review_is_in_no_table(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW, review(2))
    synthese_id = synthese(register)["id"]
    reviewer.work([synthese_id])
    register.execute(f"""
        INSERT INTO failed_items (kind, key, siren, code, message)
        VALUES ('review', '{synthese_id}', '000000001', 'wrong_count', 'Un atelier soigné.')
    """)
    register.execute(f"""
        INSERT INTO avis_orders (siret, siren, kind, verb, ordered_by, reason, override)
        VALUES ('{SIRET}', '000000001', 'synthese', 'hold', 'A', '« Un atelier soigné » ?', false)
    """)
    assert places_of("atelier soigné", engine) == {
        "avis_orders",
        "sources",
        "avis",
        "avis_attempts",
        "failed_items",
    }
    sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    assert places_of("atelier soigné", engine) == set()
    [attempt] = register.rows("SELECT accepted, text FROM avis_attempts")
    assert attempt == {"accepted": True, "text": None}, "that there was one stays"
    reviewer.work([synthese_id])
    assert "Numéro 2." in synthese(register)["text"]
    assert places_of("atelier soigné", engine) == set()


def test_a_review_goes_when_its_site_keeps_it_no_longer(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW, review(2))
    reviewer.work([synthese(register)["id"]])
    assert sirenade(reviews.database_url, "expire").stdout == "0 reviews deleted\n"
    register.execute("UPDATE sources SET retention_days = 1 WHERE review_id = '1'")
    assert sirenade(reviews.database_url, "expire").stdout == "1 reviews deleted\n"
    assert places_of("atelier soigné", engine) == set()
    assert synthese(register)["outcome"] == "pending"


def test_a_withdrawn_review_does_not_come_back_with_its_file(
    register: "Register", reviews: Reviews
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW, review(2))
    sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    other_address = review(1, url="https://avis.example/moved")
    other_id = review(3, url=REVIEW["url"])
    for again in (REVIEW, other_address, other_id):
        told = reviews.import_(again, review(2))
        assert told.returncode == 1
        assert "0 new, 0 changed, 1 kept already, 1 refused" in told.stdout
        assert "line 1: the review was withdrawn" in told.stderr
    assert [row["review_id"] for row in register.rows("SELECT review_id FROM sources")] == ["2"]
    done = sirenade(reviews.database_url, "withdraw", "--undo", REVIEW["url"])
    assert done.stdout == "it may be imported again\n"
    assert reviews.import_(REVIEW).stdout.startswith("1 new")


def test_a_review_may_be_withdrawn_before_it_is_ever_imported(
    register: "Register", reviews: Reviews
) -> None:
    register.add(range(1, 2))
    done = sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    assert done.stdout == "0 reviews deleted\n"
    assert "the review was withdrawn" in reviews.import_(REVIEW).stderr


def test_a_tombstone_holds_no_content_and_goes_when_the_site_keeps_the_review_no_longer(
    register: "Register", reviews: Reviews
) -> None:
    register.add(range(1, 2))
    reviews.import_({**REVIEW, "retention_days": 3000})
    sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    rows = register.rows("SELECT * FROM withdrawn_reviews ORDER BY keep_until")
    assert {len(bytes(row[name])) for row in rows for name in ("digest", "url_digest")} == {16}
    assert {str(row["keep_until"]) for row in rows} == {"2034-05-20"}
    sirenade(reviews.database_url, "expire")
    assert len(register.rows("SELECT 1 FROM withdrawn_reviews")) == 2
    register.execute("UPDATE withdrawn_reviews SET keep_until = now()::date - 2")
    sirenade(reviews.database_url, "expire")
    assert register.rows("SELECT 1 FROM withdrawn_reviews") == []


def test_a_withdrawal_waits_for_an_import_and_an_import_for_it(
    register: "Register", reviews: Reviews, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW)
    with engine.connect() as importing, ThreadPoolExecutor(1) as thread:
        importing.execute(text("SELECT 1 FROM withdrawn_reviews FOR SHARE"))
        withdrawing = thread.submit(sirenade, reviews.database_url, "withdraw", REVIEW["url"])
        wait_until(lambda: bool(register.rows(_WAITING_FOR_A_TABLE)), seconds=30)
        importing.rollback()
        assert withdrawing.result().stdout == "1 reviews deleted\n"


def test_a_text_that_comes_after_the_withdrawal_leaves_no_quotation_in_its_attempt(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW, review(2))
    late = claimed_result(register, reviewer, engine)
    sirenade(reviews.database_url, "withdraw", REVIEW["url"])
    store(engine, [late], sole_traders=False)
    assert places_of("atelier soigné", engine) == set()
    assert synthese(register)["outcome"] == "pending"


def test_a_changed_verbatim_is_an_update_and_not_a_second_review(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer, engine: Engine
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
    register: "Register", reviews: Reviews, reviewer: ShardReviewer
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


def test_a_review_that_cannot_be_quoted_is_counted(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    insulting = review(2, verbatim="Ce sont des voleurs, demandez à Julie Morel.")
    reviews.import_(insulting)
    reviewer.work([synthese(register)["id"]])
    assert (synthese(register)["outcome"], synthese(register)["text"]) == ("no_reviews", None)
    reviews.import_(REVIEW)
    reviewer.work([synthese(register)["id"]])
    row = synthese(register)
    assert row["outcome"] == "accepted"
    assert row["text"].startswith("2 avis")
    assert row["held_because"] == "accusation", "a person sees what was left out"
    assert "un seul est cité en entier" in row["label"]
    assert places_of("voleurs", engine) == {"sources"}


def test_a_synthese_waits_until_an_editor_has_read_each_review_that_it_quotes_once(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer, engine: Engine, clock: Clock
) -> None:
    register.add(range(1, 2))
    holding = replace(reviewer, hold_rules=HoldRules(syntheses=True))
    contexts = ContextReader(engine, [engine], clock)
    editor = Editor(engine, validate, clock, contexts, sole_traders=False)

    def renewed(*lines: dict[str, Any]) -> str | None:
        """Import, write the synthese anew, have it released; return why it was held."""
        assert reviews.import_(*lines).returncode == 0
        holding.work([synthese(register)["id"]])
        held: str | None = synthese(register)["held_because"]
        if held is not None:
            order = TextOrder(
                siret=SIRET,
                kind="synthese",
                verb=OrderVerb.RELEASE,
                ordered_by="Ada",
                reason="read",
            )
            with engine.begin() as connection:
                place_order(connection, order)
            editor.step()
        assert synthese(register)["held_because"] is None
        return held

    assert renewed(REVIEW) == "quotation"
    other_terms = REVIEW | {"retention_days": 400}
    assert renewed(other_terms) is None, "it was read"
    assert renewed(other_terms, review(2)) == "quotation"
    updated = review(2, verbatim="Un peu cher.", updated_on="2026-04-01")
    assert renewed(updated) == "quotation", "these words nobody has read"
    register.execute("UPDATE avis SET outcome = 'pending', accepted_facts_hash = 'other'")
    holding.work([synthese(register)["id"]])
    assert synthese(register)["held_because"] is None


def test_json_ld_names_the_sources_of_the_quotations(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer
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
    register: "Register", reviews: Reviews, reviewer: ShardReviewer
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
    register: "Register", reviews: Reviews
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
    register: "Register", reviews: Reviews
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


def test_a_review_withdrawn_between_claim_and_store_discards_the_text(
    register: "Register", reviews: Reviews, reviewer: ShardReviewer, engine: Engine
) -> None:
    register.add(range(1, 2))
    reviews.import_(REVIEW)
    late = claimed_result(register, reviewer, engine)
    register.execute("DELETE FROM sources")
    store(engine, [late], sole_traders=False)
    left = synthese(register)
    assert (left["outcome"], left["text"]) == ("no_reviews", None)
    assert register.rows("SELECT * FROM avis_attempts") == []


def test_who_must_not_be_written_about_is_not_reviewed_either(
    register: "Register", reviews: Reviews
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
    register: "Register", reviews: Reviews, line: Any, reason: str
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
