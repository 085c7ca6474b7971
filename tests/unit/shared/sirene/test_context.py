"""A context asks for a new text only where the text would say something else."""

import datetime as dt

from shared.sirene.context import (
    NO_CONTEXT,
    Context,
    Former,
    Sites,
    Succession,
    Trade,
    context_hash,
    is_other,
)

_NOVEMBER, _DECEMBER = dt.date(2026, 11, 1), dt.date(2026, 12, 1)


def _trade(number: int, with_employees: int = 3, month: dt.date = _NOVEMBER) -> Context:
    return Context(trade=Trade(etablissements=number, with_employees=with_employees, month=month))


def _is_other(before: Context, now: Context) -> bool:
    return is_other(context_hash(before), context_hash(now))


def test_one_opening_and_another_month_say_nothing_new() -> None:
    assert not _is_other(_trade(7), _trade(8, month=_DECEMBER))
    assert not _is_other(_trade(7, 3), _trade(7, 4))


def test_another_class_says_something_new() -> None:
    assert _is_other(_trade(5), _trade(6))
    assert _is_other(_trade(7, 0), _trade(7, 1))


def test_what_is_no_more_known_stays_true_of_its_month() -> None:
    sites = Context(sites=Sites(open=3, closed=0, communes=2, month=_NOVEMBER))
    assert not _is_other(_trade(7), NO_CONTEXT)
    assert not _is_other(sites, NO_CONTEXT)


def test_what_becomes_known_asks_for_a_text() -> None:
    assert _is_other(NO_CONTEXT, _trade(7))
    assert is_other(None, context_hash(NO_CONTEXT)), "nobody knows what the text tells"


def test_a_history_that_is_corrected_asks_for_a_text() -> None:
    former = Context(former_enseignes=(Former(value="LE ZINC", until=_NOVEMBER),))
    link = Succession(
        siret="55203253400646",
        day=_NOVEMBER,
        same_unit=False,
        transfert_siege=False,
        continuite_economique=True,
    )
    assert _is_other(former, NO_CONTEXT)
    assert _is_other(Context(predecessors=(link,)), Context(successors=(link,)))


def test_the_hash_is_the_same_in_every_process_and_release() -> None:
    """A changed digest makes every text due again: raise CONTEXT_VERSION on purpose."""
    assert context_hash(NO_CONTEXT) == "-+-+928083f69188fd02"
    assert context_hash(_trade(7)) == "d4767e409b1473cb+-+928083f69188fd02"
