"""`rehearse naf2025`: what 1 January 2027 will change and cost, from what is stored today."""

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.reviewer.commands import recoded_pages
from services.reviewer.commands.due import mark_due
from services.reviewer.commands.recoded_pages import read_recoded_pages
from services.reviewer.money.rate_limits import open_providers
from services.reviewer.money.renewal_rate import set_renewals_per_day
from services.reviewer.notices import template
from shared.db.tables import etablissements
from tests.integration.reviewer.avis_command import Call, make_call, provider_of

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register

_SAME_WORDS, _OTHER_WORDS = "43.32G", "43.32H"
_PAID = """
    UPDATE avis_attempts SET provider = 'dear', tokens_in = 8, tokens_out = 2, cost_eur = 0.008,
      prompt_version = 'notice-3'
"""


@pytest.fixture
def call(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    return make_call(database_url, monkeypatch, group="rehearse")


def _recode(register: "Register", numbers: range, code: str) -> None:
    for number in numbers:
        siren = register.siren(number)
        register.change(etablissements, siren, activite_principale_naf25=code)


def test_only_texts_whose_words_change_are_due_and_each_generator_has_its_bill(
    register: "Register", desk: "Desk", call: Call, engine: Engine
) -> None:
    open_providers(engine, (provider_of(requests_per_minute=2),), prompt_version="notice-3")
    ids = register.add(range(1, 13))
    _recode(register, range(1, 5), _SAME_WORDS)
    _recode(register, range(5, 11), _OTHER_WORDS)
    _recode(register, range(11, 12), "99.99X")
    # The last text of each kind is not made yet: it is due today, and counted apart.
    desk.store(*desk.claim(ids[:3] + ids[4:9]))
    register.execute(_PAID)
    before = register.rows("SELECT * FROM avis ORDER BY id")

    told = call("naf2025", "--json").told
    assert (told["pages"], told["keep_words"], told["change_words"]) == (12, 4, 6)
    assert (told["without_code"], told["recoded_already"]) == (2, 0)
    assert (told["texts_due"], told["texts_kept"], told["due_today"]) == (5, 3, 4)
    assert told["changes"] == [
        {
            "from": "Travaux de menuiserie bois et PVC",
            "to": "Travaux de menuiserie métallique",
            "pages": 6,
        }
    ]
    [dear] = told["by_generator"]
    assert (dear["provider"], dear["texts"], Decimal(dear["eur"])) == ("dear", 5, Decimal("0.04"))
    assert dear["hours"] == pytest.approx(2.5 / 60)
    assert told["bill"]["by_departement"] == [{"departement": "33", "texts": 5, "eur": "0.0400"}]
    assert register.rows("SELECT * FROM avis ORDER BY id") == before


def test_people_read_tables_and_what_to_do_in_which_order(
    register: "Register", desk: "Desk", call: Call
) -> None:
    ids = register.add(range(1, 4))
    _recode(register, range(1, 3), _OTHER_WORDS)
    desk.store(*desk.claim(ids[:2]))
    done = call("naf2025")
    assert done.returncode == 0, done.stderr
    assert "2 texts will be due; they stay up until each is replaced" in done.stdout
    assert "Travaux de menuiserie métallique" in done.stdout
    assert "without a known code of NAF 2025: 1;" in done.stdout
    assert "template: 170 texts/s, assumed, from docs/benchmarks.md" in done.stdout
    assert "then renewals: 2 wait, as fast as reviewers make them" in done.stdout
    steps = ("avis pause", "delta --plan", "renewals-per-day", "avis resume --cap EUR", "certify")
    places = [done.stdout.index(step) for step in steps]
    assert places == sorted(places)


def test_the_weeks_are_those_of_the_rate_and_count_what_waits_already(
    register: "Register", desk: "Desk", call: Call, engine: Engine
) -> None:
    desk.store(*desk.claim(register.add(range(1, 15))))
    mark_due([engine], "another")
    ids = register.add(range(15, 29))
    _recode(register, range(15, 29), _OTHER_WORDS)
    desk.store(*desk.claim(ids))
    with engine.begin() as connection:
        set_renewals_per_day(connection, 1)
    assert call("naf2025", "--json").told["renewals"] == {"waiting": 28, "per_day": 1, "days": 28}
    assert (
        "then renewals: 28 wait, at most 1 a day begin: 4.0 weeks, until" in call("naf2025").stdout
    )


@pytest.mark.parametrize(
    ("texts_of_minutes", "texts_per_second", "source"),
    [
        ((1200,) * 6, 20, "seen"),
        ((1200, 1200, 1200, 1200, 1800, 60), 22, "seen"),
        ((1200,) * 4, 170, "assumed"),
        ((1200, 1200, 1200, 1200, 599), 170, "assumed"),
    ],
    ids=str,
)
def test_the_speed_of_templates_is_that_of_the_busiest_minutes_seen_here(
    register: "Register",
    call: Call,
    texts_of_minutes: tuple[int, ...],
    texts_per_second: float,
    source: str,
) -> None:
    register.execute(
        """
        INSERT INTO avis_attempts (avis_id, siren, attempted_at, model, prompt_version, facts_hash,
          accepted, reasons, latency_seconds)
        SELECT 1, '1', timestamptz '2026-11-30 12:00Z' + minute * interval '1 minute', 'template',
          :prompt_version, '', true, '{}', 0
        FROM unnest(CAST(:minutes AS int[])) WITH ORDINALITY AS made (texts, minute),
          generate_series(1, texts)
        """,
        prompt_version=template.PROMPT_VERSION,
        minutes=list(texts_of_minutes),
    )
    told = call("naf2025", "--json").told["template_speed"]
    assert told == {"texts_per_second": texts_per_second, "source": source}


def test_pages_are_counted_once_whatever_the_ranges_are(
    register: "Register", engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.add(range(1, 8))
    _recode(register, range(1, 8), _OTHER_WORDS)
    whole = read_recoded_pages([engine])
    register.execute("ANALYZE pro_localisations")
    told: list[tuple[int, int]] = []
    for size in (1, 2, 7, 8):
        monkeypatch.setattr(recoded_pages, "_RANGE", size)
        assert read_recoded_pages([engine], lambda *one: told.append(one)) == whole
        assert told[-1] == (7, 7)
    assert whole.changed_pages == 7


def test_after_the_day_the_pages_bear_their_codes_already(register: "Register", call: Call) -> None:
    register.add(range(1, 4))
    register.execute("UPDATE pro_localisations SET activite_principale = '43.32H'")
    told = call("naf2025", "--json").told
    assert (told["pages"], told["recoded_already"], told["texts_due"]) == (3, 3, 0)


def test_an_empty_register_has_nothing_to_rehearse(call: Call) -> None:
    assert call("naf2025", "--json").told["pages"] == 0
    assert call("naf2025").returncode == 0
