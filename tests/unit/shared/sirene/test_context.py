"""A context asks for a new text only where the text would say something else."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import pytest

from shared.sirene.context import (
    NO_CONTEXT,
    PARTS,
    Context,
    Former,
    Sites,
    Succession,
    Trade,
    context_hash,
    is_other,
)

_NOVEMBER, _DECEMBER = dt.date(2026, 11, 1), dt.date(2026, 12, 1)


def _trade(
    number: int, with_employees: int = 3, month: dt.date = _NOVEMBER, rank: int | None = None
) -> Context:
    trade = Trade(etablissements=number, with_employees=with_employees, month=month, rank=rank)
    return Context(trade=trade)


_SITES = Sites(open=3, closed=0, communes=2, month=_NOVEMBER)
_LINK = Succession(
    siret="55203253400646",
    day=_NOVEMBER,
    same_unit=False,
    transfert_siege=False,
    continuite_economique=True,
)
_FORMER = (Former(value="LE ZINC", until=_NOVEMBER),)
_EARLIER = (Former(value="LE ZINC", until=dt.date(2019, 1, 1)),)
# Each part has what a text told, another value, and what a text tells without it.
_KINDS: Mapping[str, tuple[Context, Context, Context]] = {
    "trade": (_trade(7), _trade(5), NO_CONTEXT),
    "rank": (_trade(7, rank=1), _trade(7, rank=2), _trade(7)),
    "sites": (Context(sites=_SITES), Context(sites=replace(_SITES, closed=1)), NO_CONTEXT),
    "former_activites": (
        Context(former_activites=_FORMER),
        Context(former_activites=_EARLIER),
        NO_CONTEXT,
    ),
    "former_enseignes": (
        Context(former_enseignes=_FORMER),
        Context(former_enseignes=_EARLIER),
        NO_CONTEXT,
    ),
    "predecessors": (
        Context(predecessors=(_LINK,)),
        Context(predecessors=(replace(_LINK, siret="55203253400653"),)),
        NO_CONTEXT,
    ),
    "successors": (
        Context(successors=(_LINK,)),
        Context(successors=(replace(_LINK, day=_DECEMBER),)),
        NO_CONTEXT,
    ),
}


def _is_other(before: Context, now: Context) -> bool:
    return is_other(context_hash(before), context_hash(now))


def test_one_opening_and_another_month_say_nothing_new() -> None:
    assert not _is_other(_trade(7), _trade(8, month=_DECEMBER))
    assert not _is_other(_trade(7, 3), _trade(7, 4))


def test_another_class_says_something_new() -> None:
    assert _is_other(_trade(5), _trade(6))
    assert _is_other(_trade(7, 0), _trade(7, 1))


@pytest.mark.parametrize("part", PARTS)
def test_what_is_only_unknown_asks_for_no_text_and_what_has_changed_does(part: str) -> None:
    told, other, without = _KINDS[part]
    kept = context_hash(told)
    assert not is_other(kept, context_hash(told))
    assert not is_other(kept, context_hash(without, [part]))
    assert is_other(kept, context_hash(without)), "it is known that there is nothing to tell"
    assert is_other(kept, context_hash(other))
    others = [each for each in PARTS if each != part]
    assert is_other(kept, context_hash(other, others)), "what is unknown beside it hides nothing"


@pytest.mark.parametrize("part", PARTS)
def test_what_becomes_known_asks_for_a_text_where_there_is_something_to_tell(part: str) -> None:
    told, _, without = _KINDS[part]
    written_without = context_hash(without)
    assert not is_other(written_without, context_hash(without, [part]))
    assert not is_other(written_without, context_hash(without))
    assert is_other(written_without, context_hash(told))


def test_a_text_of_an_unknown_context_is_other() -> None:
    assert is_other(None, context_hash(NO_CONTEXT)), "nobody knows what the text tells"
    assert is_other("-+-+928083f69188fd02", context_hash(NO_CONTEXT)), "nor in which parts"


def test_the_hash_is_the_same_in_every_process_and_release() -> None:
    """A changed digest makes every text due again: raise CONTEXT_VERSION on purpose."""
    assert context_hash(NO_CONTEXT) == "-+-+-+-+-+-+-"
    assert context_hash(_trade(7)) == "845fb44fee9546c6+-+-+-+-+-+-"
