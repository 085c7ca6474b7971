"""The cost and time of the texts that are due, from those that were made. Pure.

A text costs as much as all its attempts. Money is Decimal. The spread of a forecast is twice the
standard error of the sample's mean, on either side.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

_LEAST_FOR_A_SPREAD = 2
_SPREAD_IN_ERRORS = 2
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownProvider:
    """A provider as the settings of the reviewers say."""

    name: str
    model: str
    prompt_version: str | None
    weight: float
    max_parallel: int
    charges: bool
    requests_per_minute: int | None
    tokens_per_minute: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeText:
    """The use of one text: all its attempts, counted for the provider of the first one."""

    provider: str
    prompt_version: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost_eur: Decimal
    latency_seconds: float


@dataclass(frozen=True, slots=True)
class DueGroup:
    activite: str
    departement: str
    texts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The share of one provider; `sample` is 0 when none of its texts is known."""

    provider: str
    prompt_version: str | None
    texts: int
    sample: int
    calls: int
    tokens_in: int
    tokens_out: int
    eur: Decimal
    spread_eur: Decimal
    # The mean of a text; nine texts of ten lie between the other two.
    text_eur: Decimal
    text_low_eur: Decimal
    text_high_eur: Decimal
    hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BillForecast:
    """`unsampled` are providers that get texts without a known attempt."""

    texts: int
    shares: tuple[Share, ...]
    unsampled: tuple[str, ...]
    by_activite: tuple[tuple[str, int, Decimal], ...]
    by_departement: tuple[tuple[str, int, Decimal], ...]

    @property
    def eur(self) -> Decimal:
        return sum((share.eur for share in self.shares), _ZERO)

    @property
    def spread_eur(self) -> Decimal:
        return sum((share.spread_eur**2 for share in self.shares), _ZERO).sqrt()

    @property
    def tokens(self) -> int:
        return sum(share.tokens_in + share.tokens_out for share in self.shares)

    @property
    def hours(self) -> float:
        """Return the longest time of a provider: they work side by side."""
        return max((share.hours for share in self.shares), default=0.0)

    @property
    def text_eur(self) -> Decimal | None:
        """Return the mean cost of a text; None while a provider has no sample."""
        if not self.texts or self.unsampled:
            return None
        return self.eur / self.texts


def forecast(
    due: Sequence[DueGroup], providers: Sequence[KnownProvider], made: Sequence[MadeText]
) -> BillForecast:
    """Forecast the cost; `made` has the newest first. Without providers there is no cost."""
    texts = sum(group.texts for group in due)
    shares = tuple(
        _share(provider, part, [text for text in made if text.provider == provider.name])
        for provider, part in _split(texts, providers)
    )
    unsampled = tuple(share.provider for share in shares if share.texts and not share.sample)
    each = sum((share.eur for share in shares), _ZERO) / texts if texts else _ZERO
    return BillForecast(
        texts=texts,
        shares=shares,
        unsampled=unsampled,
        by_activite=_grouped(due, "activite", each),
        by_departement=_grouped(due, "departement", each),
    )


def _grouped(
    due: Sequence[DueGroup], name: str, each_eur: Decimal
) -> tuple[tuple[str, int, Decimal], ...]:
    """Return name, texts and euros of each group, the largest first."""
    counted: Counter[str] = Counter()
    for group in due:
        counted[getattr(group, name)] += group.texts
    return tuple((key, texts, texts * each_eur) for key, texts in counted.most_common())


def _split(texts: int, providers: Sequence[KnownProvider]) -> list[tuple[KnownProvider, int]]:
    """Split the texts by weight; the first provider takes the rest of the rounding."""
    asked = [provider for provider in providers if provider.weight > 0]
    total = sum(provider.weight for provider in asked)
    parts = [int(texts * provider.weight / total) for provider in asked]
    if parts:
        parts[0] += texts - sum(parts)
    return list(zip(asked, parts, strict=True))


def _share(provider: KnownProvider, texts: int, made: Sequence[MadeText]) -> Share:
    sample = _of_one_prompt(made, provider.prompt_version)
    costs = sorted(text.cost_eur for text in sample) or [_ZERO]
    of_one = _means(sample)
    mean = sum(costs, _ZERO) / len(costs)
    error = _ZERO
    if len(costs) >= _LEAST_FOR_A_SPREAD:
        error = statistics.stdev(costs) / Decimal(len(costs)).sqrt()
    return Share(
        provider=provider.name,
        prompt_version=sample[0].prompt_version if sample else provider.prompt_version,
        texts=texts,
        sample=len(sample),
        calls=round(texts * of_one["calls"]),
        tokens_in=round(texts * of_one["tokens_in"]),
        tokens_out=round(texts * of_one["tokens_out"]),
        eur=texts * mean,
        spread_eur=_SPREAD_IN_ERRORS * texts * error,
        text_eur=mean,
        text_low_eur=costs[len(costs) * 5 // 100],
        text_high_eur=costs[min(len(costs) - 1, len(costs) * 95 // 100)],
        hours=_hours(provider, texts, of_one),
    )


def _of_one_prompt(made: Sequence[MadeText], prompt_version: str | None) -> list[MadeText]:
    """Return the texts of the prompt in use, or else of the one before."""
    versions = [text.prompt_version for text in made]
    if not versions:
        return []
    wanted = prompt_version if prompt_version in versions else versions[0]
    return [text for text in made if text.prompt_version == wanted]


def _means(sample: Sequence[MadeText]) -> dict[str, float]:
    return {
        name: statistics.fmean(getattr(text, name) for text in sample) if sample else 0.0
        for name in ("calls", "tokens_in", "tokens_out", "latency_seconds")
    }


def _hours(provider: KnownProvider, texts: int, of_one: Mapping[str, float]) -> float:
    """Return the hours at the narrowest limit: requests, tokens, or calls at once."""
    minutes = [texts * of_one["latency_seconds"] / provider.max_parallel / 60]
    if provider.requests_per_minute is not None:
        minutes.append(texts * of_one["calls"] / provider.requests_per_minute)
    if provider.tokens_per_minute is not None:
        tokens = of_one["tokens_in"] + of_one["tokens_out"]
        minutes.append(texts * tokens / provider.tokens_per_minute)
    return max(minutes) / 60
