"""The view `avis_published` serves a text with label, name and JSON-LD, or nothing of it."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from services.reviewer.store import store
from services.reviewer.texts.provenance import Imprint
from services.simulator.generation.vocabulary import STRANGE_NAMES
from shared.controls import without_controls
from shared.db.tables import etablissements, pro_localisations, unites_legales

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from tests.integration.reviewer.conftest import Desk, Register

_SERVED = "SELECT * FROM avis_published"


@pytest.fixture
def served(register: "Register", desk: "Desk") -> "RowMapping":
    [claimed] = desk.claim(register.add(range(1, 2)))
    store(register.engine, [desk.result(claimed)], sole_traders=False, imprint=Imprint("Les Pages"))
    [row] = register.rows(_SERVED)
    return row


def test_text_label_name_and_json_ld_are_served_together(
    register: "Register", served: "RowMapping"
) -> None:
    assert served["text"] == "Un texte sur ATELIER DUPONT 1."
    assert (served["label"], served["display_name"]) == ("Notice.", "Atelier Dupont 1")
    work = served["json_ld"]
    assert (work["text"], work["creditText"]) == (served["text"], served["label"])
    assert work["dateCreated"][:19] == served["accepted_at"].isoformat()[:19]
    assert work["about"]["name"] == served["display_name"]
    assert work["publisher"]["name"] == "Les Pages"
    [page] = register.rows("SELECT slug FROM pro_localisations")
    assert served["slug"] == page["slug"]


@pytest.mark.usefixtures("served")
def test_a_text_is_not_served_once_it_must_not_be(register: "Register") -> None:
    siren = register.siren(1)
    for hidden, shown in (
        ("held_because = 'asked'", "held_because = NULL"),
        ("outcome = 'cancelled'", "outcome = 'pending'"),
        ("outcome = 'skipped_sole_trader'", "outcome = 'rejected'"),
    ):
        register.execute(f"UPDATE avis SET {hidden}")
        assert register.rows(_SERVED) == [], hidden
        register.execute(f"UPDATE avis SET {shown}")
        assert len(register.rows(_SERVED)) == 1
    for table, hidden_row, shown_row in (
        (pro_localisations, {"status": "closed"}, {"status": "open"}),
        (unites_legales, {"statut_diffusion": "P"}, {"statut_diffusion": "O"}),
        (etablissements, {"statut_diffusion": "P"}, {"statut_diffusion": "O"}),
    ):
        register.change(table, siren, **hidden_row)
        assert register.rows(_SERVED) == [], table.name
        register.change(table, siren, **shown_row)
        assert len(register.rows(_SERVED)) == 1
    register.oppose(siren)
    assert register.rows(_SERVED) == []


@pytest.mark.usefixtures("served")
@pytest.mark.one_role
def test_a_role_with_a_right_on_the_view_alone_reads_it(register: "Register") -> None:
    with register.engine.connect() as connection:
        connection.execute(text("CREATE ROLE sirenade_web"))
        connection.execute(text("GRANT SELECT ON avis_published TO sirenade_web"))
        connection.execute(text("SET LOCAL ROLE sirenade_web"))
        assert len(connection.execute(text(_SERVED)).all()) == 1
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("SELECT text FROM avis"))
        connection.rollback()


@pytest.mark.parametrize("missing", ["label", "display_name", "json_ld"])
@pytest.mark.usefixtures("served")
def test_a_text_without_one_of_its_parts_is_not_served(register: "Register", missing: str) -> None:
    register.execute(f"UPDATE avis SET {missing} = NULL")
    assert register.rows(_SERVED) == []


def test_each_attempt_keeps_its_facts_and_its_time(register: "Register", desk: "Desk") -> None:
    [claimed] = desk.claim(register.add(range(1, 2)))
    result = desk.result(claimed)
    first = replace(result.attempts[0], text=None, reasons=("empty",), unanswered=2)
    store(
        register.engine, [replace(result, attempts=(first, *result.attempts))], sole_traders=False
    )
    one, two = register.rows("SELECT * FROM avis_attempts ORDER BY id")
    assert (one["unanswered"], two["unanswered"]) == (2, 0)
    assert one["attempted_at"] == first.attempted_at
    assert two["attempted_at"] == result.attempts[0].attempted_at
    assert one["facts"] == two["facts"]
    assert two["facts"]["nom"] == "ATELIER DUPONT 1"
    assert two["facts"]["date_creation"] == "2009-03-01"
    assert "sigle" not in two["facts"]
    assert one["text_digest"] is None
    assert two["text_digest"] is not None


def test_facts_that_are_not_those_of_the_text_are_not_kept_with_it(
    register: "Register", desk: "Desk"
) -> None:
    [claimed] = desk.claim(register.add(range(1, 2)))
    desk.store(replace(claimed, facts_hash="0" * 64, of_other_facts=True))
    [attempt] = register.rows("SELECT * FROM avis_attempts")
    assert (attempt["facts"], attempt["reasons"]) == (None, ["facts_changed"])


class _Page(HTMLParser):
    """The elements, the name in an attribute, and the words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_a_name_is_no_markup_on_a_page(register: "Register", desk: "Desk") -> None:
    names = [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "\" onmouseover='alert(1)' x=\"",
        "&lt;b&gt; &amp; &#39; ]]>",
        *map(without_controls, STRANGE_NAMES),
    ]
    ids = [
        register.add(range(n, n + 1), denomination=nom, apart=True)[0]
        for n, nom in enumerate(names, start=1)
    ]
    results = list(map(desk.result, desk.claim(ids)))
    store(register.engine, results, sole_traders=False, imprint=Imprint(names[0]))
    rows = register.rows(f"{_SERVED} ORDER BY siret")
    for nom, row in zip(names, rows, strict=True):
        page = _Page(
            f'<p title="{row["display_name_html"]}">{row["text_html"]}</p>'
            f"<p title='{row['display_name_html']}'>{row['label_html']}</p>"
            f'<script type="application/ld+json">{row["json_ld_script"]}</script>'
        )
        assert page.tags == ["p", "p", "script"]
        name = row["display_name"]
        titles = [("title", name), ("title", name), ("type", "application/ld+json")]
        assert page.attributes == titles
        *words, script = page.words
        assert "".join(words) == row["text"] + row["label"]
        assert json.loads(script) == row["json_ld"]
        # A name without a letter is none.
        assert nom == "*" or nom.strip() in row["text"]
