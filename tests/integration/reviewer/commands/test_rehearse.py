"""`rehearse naf2025`: what 1 January 2027 will change and cost, from what is stored today."""

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.reviewer.money.rate_limits import open_providers
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
    steps = ("avis pause", "delta --plan", "avis resume --cap EUR", "certify")
    places = [done.stdout.index(step) for step in steps]
    assert places == sorted(places)


def test_after_the_day_the_pages_bear_their_codes_already(register: "Register", call: Call) -> None:
    register.add(range(1, 4))
    register.execute("UPDATE pro_localisations SET activite_principale = '43.32H'")
    told = call("naf2025", "--json").told
    assert (told["pages"], told["recoded_already"], told["texts_due"]) == (3, 3, 0)


def test_an_empty_register_has_nothing_to_rehearse(call: Call) -> None:
    assert call("naf2025", "--json").told["pages"] == 0
    assert call("naf2025").returncode == 0
