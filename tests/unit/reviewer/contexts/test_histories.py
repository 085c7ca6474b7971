"""A former activity or sign is told where INSEE's own history says so."""

import datetime as dt

from services.reviewer.contexts.histories import (
    Period,
    former_activites,
    former_enseignes,
    held_until,
    is_recoded,
)
from shared.sirene.context import Former
from shared.sirene.reference import libelle_activite

_BREAD, _PASTRY, _CAFE = "10.71C", "10.71D", "56.30Z"
_TODAY = dt.date(2026, 11, 30)


def _period(
    since: dt.date | None,
    code: str | None = _BREAD,
    *,
    naf: str = "NAFRev2",
    sign: str | None = None,
) -> Period:
    return Period(since, code, naf, sign, None, None, None)


def _label(code: str, naf: str = "NAFRev2") -> str:
    label = libelle_activite(code, naf)
    assert label is not None
    return label


def test_a_former_activity_is_told_with_the_day_on_which_the_next_one_began() -> None:
    periods = [_period(None, _CAFE), _period(dt.date(2015, 3, 1)), _period(dt.date(2020, 1, 1))]
    assert former_activites(periods, _label(_BREAD)) == (
        Former(value=_label(_CAFE), until=dt.date(2015, 3, 1)),
    )


def test_a_period_ahead_ends_nothing_yet() -> None:
    periods = [_period(None), _period(dt.date(2027, 1, 1), _CAFE)]
    held = held_until(periods, _TODAY, 2)
    assert held is not None
    assert held == periods[:1]
    assert former_activites(held, _label(_BREAD)) == ()


def test_what_is_the_same_again_is_no_former_one() -> None:
    periods = [
        _period(None, sign="L'ÉPI"),
        _period(dt.date(2015, 3, 1), _CAFE, sign="LE ZINC"),
        _period(dt.date(2018, 3, 1), sign="L'épi"),
    ]
    assert [each.value for each in former_activites(periods, _label(_BREAD))] == [_label(_CAFE)]
    assert former_enseignes(periods, ["L'ÉPI"]) == (
        Former(value="LE ZINC", until=dt.date(2018, 3, 1)),
    )


def test_another_nomenclature_is_no_other_activity() -> None:
    periods = [_period(None, "15.8C", naf="NAF1993"), _period(dt.date(2008, 1, 1))]
    assert former_activites(periods, _label(_BREAD)) == ()


def test_a_period_older_than_its_nomenclature_was_coded_anew_in_its_place() -> None:
    told = [_period(None, _CAFE), _period(dt.date(2015, 3, 1))]
    in_its_place = [told[0], _period(dt.date(2015, 3, 1), naf="NAF2025")]
    by_a_new_period = [*told, _period(dt.date(2027, 1, 1), naf="NAF2025")]
    assert not is_recoded(told)
    assert is_recoded(in_its_place)
    assert not is_recoded(by_a_new_period)
    assert not is_recoded([_period(None, naf="NAF1993"), _period(dt.date(2008, 1, 1))])


def test_a_label_is_that_of_the_nomenclature_of_its_period() -> None:
    periods = [
        _period(None, "15.8C", naf="NAF1993"),
        _period(dt.date(1999, 1, 1), "55.4B", naf="NAF1993"),
        _period(dt.date(2008, 1, 1), _CAFE),
    ]
    assert former_activites(periods, _label(_CAFE)) == (
        Former(value=_label("15.8C", "NAF1993"), until=dt.date(1999, 1, 1)),
    )


def test_a_history_with_a_gap_says_nothing() -> None:
    periods = [_period(None, _CAFE), _period(dt.date(2015, 3, 1))]
    assert held_until(periods, _TODAY, 3) is held_until(periods, _TODAY, None) is None
    assert held_until((), _TODAY, 2) is None, "a stock file brings the newest alone"


def test_before_an_only_period_there_was_nothing() -> None:
    periods = [_period(None, _CAFE), _period(dt.date(2015, 3, 1))]
    assert held_until((), _TODAY, 1) == held_until(periods, _TODAY, 1) == ()


def test_the_newest_three_come_first() -> None:
    signs = ["UN", "DEUX", "TROIS", "QUATRE", "CINQ"]
    periods = [_period(dt.date(2000 + i, 1, 1), sign=sign) for i, sign in enumerate(signs)]
    told = former_enseignes(periods, ["CINQ"])
    assert [each.value for each in told] == ["QUATRE", "TROIS", "DEUX"]
