"""Expressions of Prometheus that several boards ask."""

RATE = "$__rate_interval"
ALL_SERVICES = '{service=~"fetcher|writer|reviewer|operator|portal|indexer"}'


def per_minute(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}[{RATE}])) * 60"


def quantile(share: float, metric: str, by: str, selector: str = "") -> str:
    buckets = f"sum by (le, {by}) (rate({metric}_bucket{selector}[{RATE}]))"
    return f"histogram_quantile({share}, {buckets})"


def quantiles(metric: str, by: str, selector: str = "") -> dict[str, str]:
    """Return the medians and the 95 % quantiles of each `by`, by legend."""
    return {
        f"{{{{{by}}}}} p{share * 100:.0f}": quantile(share, metric, by, selector)
        for share in (0.5, 0.95)
    }
