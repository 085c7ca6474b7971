import datetime as dt
from typing import Any

import pytest

from services.fetcher.commands.options import ScopeOptions
from services.fetcher.commands.scopes import checked_scope
from shared.errors import UserError
from shared.imports.scope import Scope
from shared.sirene.reference import communes


@pytest.mark.parametrize(
    ("asked", "scope"),
    [
        ({"region": ["Bretagne"]}, Scope(departements=["22", "29", "35", "56"])),
        ({"region": ["53"], "departement": ["35"]}, Scope(departements=["22", "29", "35", "56"])),
        ({"region": ["corse"]}, Scope(departements=["2A", "2B"])),
        ({"region": ["LA REUNION"]}, Scope(departements=["974"])),
        (
            {"region": ["provence alpes côte d’azur"]},
            Scope(departements=["04", "05", "06", "13", "83", "84"]),
        ),
        ({"departement": ["2a"], "commune": ["2a004"]}, Scope(["2A"], ["2A004"])),
        ({"activite": ["47.11d"], "etat": "f"}, Scope((), (), ["47.11D"], "F")),
        (
            {"siret_from": "00000000000001", "siret_to": "00000000000001"},
            Scope(siret_from="00000000000001", siret_to="00000000000001"),
        ),
        ({"everything": True}, Scope()),
        ({"everything": True, "etat": "A"}, Scope(etat_administratif="A")),
    ],
)
def test_what_is_asked_for_becomes_codes(asked: dict[str, Any], scope: Scope) -> None:
    found = checked_scope(ScopeOptions(**asked))
    for name in ("departements", "communes", "activites"):
        assert list(getattr(found, name)) == list(getattr(scope, name))
    for name in ("etat_administratif", "siret_from", "siret_to"):
        assert getattr(found, name) == getattr(scope, name)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "say what to import"),
        ({"everything": True, "departement": ["33"]}, "--all is every place"),
        ({"region": ["Aquitaine"]}, "unknown region 'Aquitaine'"),
        ({"region": [""]}, "unknown region"),
        ({"departement": ["20"]}, "unknown département '20'"),
        ({"commune": ["3306"]}, "unknown commune '3306'"),
        ({"commune": ["Bordeaux"]}, "unknown commune 'Bordeaux'"),
        ({"activite": ["47.11"]}, "unknown activity '47.11'"),
        ({"activite": ["*"]}, "unknown activity"),
        ({"etat": "C"}, "unknown state 'C'"),
        ({"siret_from": "123"}, "--siret-from '123' is no SIRET"),
        ({"siret_to": "1234567890123٣"}, "is no SIRET"),
        ({"siret_from": "20000000000000", "siret_to": "10000000000000"}, "reversed"),
    ],
)
def test_what_is_unknown_or_impossible_is_said_in_one_line(
    asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError) as refused:
        checked_scope(ScopeOptions(**asked))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("city", "number", "first", "last"),
    [
        ("75056", 20, "75101", "75120"),
        ("69123", 9, "69381", "69389"),
        ("13055", 16, "13201", "13216"),
    ],
)
def test_a_city_that_the_register_codes_by_arrondissement_is_all_of_them(
    city: str, number: int, first: str, last: str
) -> None:
    found = checked_scope(ScopeOptions(commune=[city, first, "33063"])).communes
    assert found == [*(str(code) for code in range(int(first), int(last) + 1)), "33063"]
    assert len(found) == number + 1
    assert set(found) <= communes().keys()


def test_a_commune_newer_than_the_table_is_asked_for_after_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert checked_scope(ScopeOptions(commune=["33998"])).communes == ["33998"]
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("warning: commune 33998 is not in INSEE's table of 2025")
    assert len(told.err.splitlines()) == 1


def test_a_known_commune_gets_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    checked_scope(ScopeOptions(commune=["33063"]))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("today", "code", "said"),
    [
        ("2026-12-31", "43.22G", "is of NAF 2025"),
        ("2026-12-31", "43.22A", ""),
        ("2027-01-01", "43.22G", ""),
        ("2027-01-01", "43.22A", "is not of NAF 2025"),
    ],
)
def test_codes_of_both_nomenclatures_are_taken_with_a_word_on_what_is_found(
    today: str,
    code: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = dt.datetime.fromisoformat(f"{today}T12:00:00+00:00")
    monkeypatch.setattr("services.fetcher.commands.scopes.utc_now", lambda: now)
    assert checked_scope(ScopeOptions(activite=[code])).activites == [code]
    told = capsys.readouterr().err
    assert said in told
    assert bool(told) == bool(said)


def test_a_code_without_its_dot_is_none_that_insee_finds() -> None:
    with pytest.raises(UserError, match="a whole NAF code like"):
        checked_scope(ScopeOptions(activite=["4322A"]))
