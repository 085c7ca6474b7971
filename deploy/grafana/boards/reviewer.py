"""Texts: throughput against the possible, reasons of rejections, cost."""

from deploy.grafana.layout import Board, line, row
from deploy.grafana.panels import Levels, Panel

_RATE = "$__rate_interval"
_DONE = 'sirenade_avis_reviewed_total{outcome=~"accepted|rejected"}'


def _per_minute(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}[{_RATE}])) * 60"


def _mean(metric: str, by: str = "") -> str:
    return (
        f"(sum{by} (rate({metric}_sum[{_RATE}])) / (sum{by} (rate({metric}_count[{_RATE}])) > 0))"
    )


_SPEED = row(
    1,
    "Throughput",
    line(
        8,
        Panel(
            2,
            "Texts, against what is possible",
            "Texts a minute that were accepted or rejected, beside what the gates would"
            " let through, at the present duration of a call and calls for a text, and"
            " what the generators could do if an attempt were all of their work. Far"
            " below the gates: look at the wait for limits, and at the generators.",
            "cpm",
            {
                "texts": f"sum(rate({_DONE}[{_RATE}])) * 60",
                "possible, by the gates": (
                    "sum(sum by (provider) (sirenade_gate_size)"
                    f" / {_mean('sirenade_chat_call_seconds', ' by (provider)')}) * 60"
                    f" * sum(rate({_DONE}[{_RATE}]))"
                    f" / (sum(rate(sirenade_chat_calls_total[{_RATE}])) > 0)"
                ),
                "possible, by the generators": (
                    f"sum(sirenade_generators) / {_mean('sirenade_avis_attempt_seconds')} * 60"
                ),
            },
            width=12,
        ),
        Panel(
            3,
            "Generators at work",
            "Share of the generators of all replicas that make a text.",
            "percentunit",
            {"at work": "sum(sirenade_generators_busy) / sum(sirenade_generators)"},
            width=6,
            most=1,
        ),
        Panel(
            4,
            "Avis that wait",
            "Avis that are due and have no text yet.",
            "short",
            {
                "{{kind}}": (
                    'sum by (kind) (max by (kind, outcome) (sirenade_avis{outcome="pending"}))'
                )
            },
            width=6,
        ),
    ),
)

_SERVERS = row(
    20,
    "Chat servers",
    line(
        8,
        Panel(
            21,
            "Gate",
            "Calls at once that are let in, by provider, and those at work. The gate"
            " halves with a burst of 429 and opens again with each answer.",
            "none",
            {
                "{{provider}}: let in": "sum by (provider) (sirenade_gate_size)",
                "{{provider}}: at work": "sum by (provider) (sirenade_gate_inside)",
            },
        ),
        Panel(
            22,
            "429 and pauses",
            "Answers 429 a minute, and bursts of them: each burst is one pause of all"
            " calls to this provider.",
            "cpm",
            {
                "{{provider}}: 429": (
                    "sum by (provider) (rate(sirenade_chat_calls_total"
                    f'{{outcome="throttled"}}[{_RATE}])) * 60'
                ),
                "{{provider}}: pauses": _per_minute("sirenade_gate_pauses_total", "provider"),
            },
        ),
        Panel(
            23,
            "Calls by outcome",
            "`refused`: the key is not accepted. `failed`: no good answer, tried again.",
            "cpm",
            {"{{outcome}}": _per_minute("sirenade_chat_calls_total", "outcome")},
            stacked=True,
        ),
    ),
    line(
        8,
        Panel(
            24,
            "Duration of a call",
            "Body included, by provider: half of the calls, and 95 % of them.",
            "s",
            {
                f"{{{{provider}}}} p{share * 100:.0f}": (
                    f"histogram_quantile({share}, sum by (le, provider)"
                    f" (rate(sirenade_chat_call_seconds_bucket[{_RATE}])))"
                )
                for share in (0.5, 0.95)
            },
        ),
        Panel(
            25,
            "Wait for limits and budget, p95",
            "Time that a call waits for the provider's limits, which all replicas share,"
            " and for the budget.",
            "s",
            {
                "{{provider}}": (
                    "histogram_quantile(0.95, sum by (le, provider)"
                    f" (rate(sirenade_provider_wait_seconds_bucket[{_RATE}])))"
                )
            },
        ),
        Panel(
            26,
            "Circuit",
            "The worst state of all replicas: out of use after failures in a row, then one"
            " call probes whether the server works again.",
            "none",
            {"{{provider}}": "max by (provider) (sirenade_circuit_state)"},
            kind="stat",
            levels=Levels(((None, "green"), (1, "orange"), (2, "red"))),
            words={
                "0": ("in use", "green"),
                "1": ("being tried", "orange"),
                "2": ("out of use", "red"),
            },
        ),
    ),
)

_QUALITY = row(
    40,
    "Why texts are rejected",
    line(
        8,
        Panel(
            41,
            "Rejections by reason",
            "The ten commonest reasons of the last hour. A text may have several; one"
            " reason above 5 % of the attempts is worth a look at the prompt.",
            "short",
            {
                "{{reason}}": (
                    "topk(10, sum by (reason) (increase(sirenade_avis_rejections_total[1h])) > 0)"
                )
            },
            width=10,
            kind="bars",
            nothing="none",
            decimals=0,
        ),
        Panel(
            42,
            "Share rejected",
            "Texts rejected for good, of those that were decided.",
            "percentunit",
            {
                "rejected": (
                    f'sum(rate(sirenade_avis_reviewed_total{{outcome="rejected"}}[{_RATE}]))'
                    f" / (sum(rate({_DONE}[{_RATE}])) > 0)"
                )
            },
            width=7,
        ),
        Panel(
            43,
            "Fallbacks to a template",
            "Texts a minute that a template wrote although chat servers are set up:"
            " rejected twice, too late, or no server in use.",
            "cpm",
            {"{{cause}}": _per_minute("sirenade_avis_fallbacks_total", "cause")},
            width=7,
            stacked=True,
        ),
    ),
)

_MONEY = row(
    60,
    "Tokens and cost",
    line(
        8,
        Panel(
            61,
            "Tokens",
            "Tokens a minute: in, out, and the part of `in` that was cached.",
            "cpm",
            {"{{kind}}": _per_minute("sirenade_chat_tokens_total", "kind")},
            width=8,
        ),
        Panel(
            62,
            "Cost of an hour",
            "What an hour costs at the present rate, by provider.",
            "currencyEUR",
            {
                "{{provider}}": (
                    f"sum by (provider) (rate(sirenade_chat_cost_euros_total[{_RATE}])) * 3600"
                )
            },
            width=8,
            stacked=True,
        ),
        Panel(
            63,
            "Spent, by provider",
            "Cost of all texts, by the books of the budget.",
            "currencyEUR",
            {"{{provider}}": "max by (provider) (sirenade_provider_spent_euros)"},
            width=4,
            kind="stat",
            decimals=2,
        ),
        Panel(
            64,
            "Budget",
            "`cap`: the cap is reached, and nothing goes on until it is raised."
            " `asked` and `sample` are a person's wish.",
            "none",
            {"{{reason}}": "max by (reason) (sirenade_budget_paused)"},
            width=4,
            kind="stat",
            words={"0": ("runs", "green"), "1": ("paused", "orange")},
        ),
    ),
)

REVIEWER = Board(
    uid="sirenade-reviewer",
    title="Sirenade / Reviewer",
    text="Texts against what is possible, chat servers, rejections, tokens and cost.",
    rows=(_SPEED, _SERVERS, _QUALITY, _MONEY),
)
