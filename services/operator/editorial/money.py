"""The money of texts: what is spent and reserved, by provider, and the batches under way."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from shared.money.budget import BudgetState, read_budget
from shared.money.due import read_due, read_made, read_providers_known
from shared.money.forecast import BillForecast, forecast

MOST_COUNTED = 100_000
_MOST_BATCHES = 100
# A sample of this size says the mean price to a few per cent.
_SAMPLE = 5_000
_PROVIDERS = text("""
    SELECT p.name, p.listed, p.model, p.prompt_version, p.charges, p.calls, p.spent_eur,
      coalesce((SELECT sum(r.cost_eur) FROM review_reservations r
        WHERE r.provider = p.name AND r.expired_at IS NULL), 0)
      + coalesce((SELECT sum(h.reserved_eur) FROM review_batch_holds h
        WHERE h.provider = p.name), 0) AS reserved_eur,
      p.paused_until > now() AS is_paused, p.doubted_until > now() AS is_doubted
    FROM review_providers p ORDER BY p.listed DESC, p.spent_eur DESC, p.name
""")
_BATCHES = text("""
    SELECT id, provider, model, state, texts, answered, accepted, cost_eur, spent_eur, created_at,
      submitted_at, expires_at, failures
    FROM review_batches WHERE finished_at IS NULL ORDER BY id DESC LIMIT :most
""")
_DUE = text("""
    SELECT count(*) FILTER (WHERE renewal_rank IS NULL) AS first_texts,
      count(*) FILTER (WHERE renewal_rank IS NOT NULL) AS renewals
    FROM (SELECT renewal_rank FROM avis WHERE outcome = 'pending' LIMIT :most) due
""")


class ProviderMoney(NamedTuple):
    name: str
    listed: bool
    model: str
    prompt_version: str | None
    charges: bool
    calls: int
    spent_eur: Decimal
    reserved_eur: Decimal
    is_paused: bool | None
    is_doubted: bool | None


class OpenBatch(NamedTuple):
    id: int
    provider: str
    model: str
    state: str
    texts: int
    answered: int
    accepted: int
    cost_eur: Decimal
    spent_eur: Decimal
    created_at: dt.datetime
    submitted_at: dt.datetime | None
    expires_at: dt.datetime
    failures: int


class TextMoney(NamedTuple):
    """`first_texts` and `renewals` are due; each shard counts `MOST_COUNTED` at most."""

    budget: BudgetState
    providers: Sequence[ProviderMoney]
    batches: Sequence[OpenBatch]
    first_texts: int
    renewals: int
    is_capped: bool


def read_money(control: Connection, shards: Sequence[Connection]) -> TextMoney:
    due = [shard.execute(_DUE, {"most": MOST_COUNTED}).one() for shard in shards]
    most = {"most": _MOST_BATCHES}
    batches = [OpenBatch(*row) for shard in shards for row in shard.execute(_BATCHES, most)]
    return TextMoney(
        read_budget(control),
        [ProviderMoney(*row) for row in control.execute(_PROVIDERS)],
        batches,
        sum(each.first_texts for each in due),
        sum(each.renewals for each in due),
        any(each.first_texts + each.renewals == MOST_COUNTED for each in due),
    )


def read_forecast(control: Connection, shards: Sequence[Engine]) -> BillForecast:
    """Forecast the cost of all due texts from the newest made ones; it counts every due text."""
    made = read_made(shards, newest=_SAMPLE)
    return forecast(read_due(shards), read_providers_known(control), made)
