"""Texts: throughput against the possible, reasons of rejections, cost."""

from deploy.grafana.layout import Board, Row
from deploy.grafana.panels import bars, graph, green_to, stat
from deploy.grafana.queries import RATE, per_minute, quantile, quantiles

_DONE = 'sirenade_avis_reviewed_total{outcome=~"accepted|rejected"}'


def _mean(metric: str, by: str = "") -> str:
    return f"(sum{by} (rate({metric}_sum[{RATE}])) / (sum{by} (rate({metric}_count[{RATE}])) > 0))"


_SPEED = Row(1, "Throughput").line(
    graph(2, "Texts, against what is possible", "cpm", width=12).shows(
        "Texts a minute that were accepted or rejected, beside what the gates would"
        " let through, at the present duration of a call and calls for a text, and"
        " what the generators could do if an attempt were all of their work. Far"
        " below the gates: look at the wait for limits, and at the generators.",
        {
            "texts": f"sum(rate({_DONE}[{RATE}])) * 60",
            "possible, by the gates": (
                "sum(sum by (provider) (sirenade_gate_size)"
                f" / {_mean('sirenade_chat_call_seconds', ' by (provider)')}) * 60"
                f" * sum(rate({_DONE}[{RATE}]))"
                f" / (sum(rate(sirenade_chat_calls_total[{RATE}])) > 0)"
            ),
            "possible, by the generators": (
                f"sum(sirenade_generators) / {_mean('sirenade_avis_attempt_seconds')} * 60"
            ),
        },
    ),
    graph(3, "Generators at work", "percentunit", width=6, most=1).shows(
        "Share of the generators of all replicas that make a text.",
        {"at work": "sum(sirenade_generators_busy) / sum(sirenade_generators)"},
    ),
    graph(4, "Avis that wait", "short", width=6).shows(
        "Avis that are due and have no text yet.",
        {"{{kind}}": 'sum by (kind) (max by (kind, outcome) (sirenade_avis{outcome="pending"}))'},
    ),
)

_SERVERS = (
    Row(20, "Chat servers, where providers are set up", is_folded=True)
    .line(
        graph(21, "Gate", "none").shows(
            "Calls at once that are let in, by provider, and those at work. The gate"
            " halves with a burst of 429 and opens again with each answer.",
            {
                "{{provider}}: let in": "sum by (provider) (sirenade_gate_size)",
                "{{provider}}: at work": "sum by (provider) (sirenade_gate_inside)",
            },
        ),
        graph(22, "429 and pauses", "cpm").shows(
            "Answers 429 a minute, and bursts of them: each burst is one pause of all"
            " calls to this provider.",
            {
                "{{provider}}: 429": (
                    "sum by (provider) (rate(sirenade_chat_calls_total"
                    f'{{outcome="throttled"}}[{RATE}])) * 60'
                ),
                "{{provider}}: pauses": per_minute("sirenade_gate_pauses_total", "provider"),
            },
        ),
        graph(23, "Calls by outcome", "cpm", stacked=True).shows(
            "`refused`: the key is not accepted. `failed`: no good answer, tried again.",
            {"{{outcome}}": per_minute("sirenade_chat_calls_total", "outcome")},
        ),
    )
    .line(
        graph(24, "Duration of a call", "s", width=6).shows(
            "Body included, by provider: half of the calls, and 95 % of them.",
            quantiles("sirenade_chat_call_seconds", "provider"),
        ),
        graph(25, "Wait for limits and budget, p95", "s", width=6).shows(
            "Time that a call waits for the provider's limits, which all replicas share,"
            " and for the budget.",
            {"{{provider}}": quantile(0.95, "sirenade_provider_wait_seconds", "provider")},
        ),
        stat(
            26,
            "Circuit",
            "none",
            width=6,
            levels=green_to(1, 2),
            words={
                "0": ("in use", "green"),
                "1": ("being tried", "orange"),
                "2": ("out of use", "red"),
            },
        ).shows(
            "The worst state of all replicas: out of use after failures in a row, then one"
            " call probes whether the server works again.",
            {"{{provider}}": "max by (provider) (sirenade_circuit_state)"},
        ),
        stat(
            27,
            "Trust",
            "none",
            width=6,
            levels=green_to(1, 2),
            words={
                "0": ("trusted", "green"),
                "1": ("being tried", "orange"),
                "2": ("doubted", "red"),
            },
        ).shows(
            "The worst state of all replicas: doubted after 20 refused texts in a row, then one"
            " text finds out whether the server is worth its price.",
            {"{{provider}}": "max by (provider) (sirenade_trust_state)"},
        ),
    )
)

_QUALITY = (
    Row(40, "Why texts are rejected")
    .line(
        bars(41, "Rejections by reason", "short", width=10, decimals=0).shows(
            "The ten commonest reasons of the last hour. A text may have several; one"
            " reason above 5 % of the attempts is worth a look at the prompt.",
            {
                "{{reason}}": "topk(10,"
                " sum by (reason) (increase(sirenade_avis_rejections_total[1h])) > 0)"
            },
            nothing="none",
        ),
        graph(42, "Share rejected", "percentunit", width=7).shows(
            "Texts rejected for good, of those that were decided.",
            {
                "rejected": f'sum(rate(sirenade_avis_reviewed_total{{outcome="rejected"}}[{RATE}]))'
                f" / (sum(rate({_DONE}[{RATE}])) > 0)"
            },
        ),
        graph(43, "Fallbacks to a template", "cpm", width=7, stacked=True).shows(
            "Texts a minute that a template wrote although chat servers are set up:"
            " rejected twice, too late, or no server in use.",
            {"{{cause}}": per_minute("sirenade_avis_fallbacks_total", "cause")},
        ),
    )
    .line(
        graph(44, "Texts near a neighbour's", "cpm", width=12, stacked=True).shows(
            "Texts a minute that read like one of the same trade and commune: `reworded` are far"
            " from all now, `kept` have no such wording.",
            {"{{end}}": per_minute("sirenade_avis_near_total", "end")},
        ),
        graph(45, "Texts that wait for a person", "short", width=8).shows(
            "Held texts by kind: they are not served until a person decides.",
            {"{{kind}}": "max by (kind) (sirenade_avis_held)"},
        ),
        stat(46, "Oldest held text", "h", width=4, decimals=1).shows(
            "How long the oldest of them has waited; after 72 hours there is an alert.",
            {"": "(time() - min(sirenade_avis_oldest_held_timestamp_seconds)) / 3600"},
            nothing="none",
        ),
    )
)

_MONEY = Row(60, "Tokens and cost, where providers are set up", is_folded=True).line(
    graph(61, "Tokens", "cpm", width=8).shows(
        "Tokens a minute: in, out, and the part of `in` that was cached.",
        {"{{kind}}": per_minute("sirenade_chat_tokens_total", "kind")},
    ),
    graph(62, "Cost of an hour", "currencyEUR", width=8, stacked=True).shows(
        "What an hour costs at the present rate, by provider.",
        {
            "{{provider}}": "sum by (provider)"
            f" (rate(sirenade_chat_cost_euros_total[{RATE}])) * 3600"
        },
    ),
    stat(63, "Spent, by provider", "currencyEUR", width=4, decimals=2).shows(
        "Cost of all texts, by the books of the budget.",
        {"{{provider}}": "max by (provider) (sirenade_provider_spent_euros)"},
    ),
    stat(
        64, "Budget", "none", width=4, words={"0": ("runs", "green"), "1": ("paused", "orange")}
    ).shows(
        "`cap`: the cap is reached, and nothing goes on until it is raised."
        " `asked` and `sample` are a person's wish.",
        {"{{reason}}": "max by (reason) (sirenade_budget_paused)"},
    ),
)

_RENEWALS = Row(70, "Renewals and the sweep").line(
    graph(65, "Renewals that wait", "short", width=10).shows(
        "Due avis whose former text stands meanwhile.",
        {"waiting": "max(sirenade_renewals_waiting_avis)"},
    ),
    graph(66, "Renewals begun, against the rate", "short", width=10).shows(
        "Renewals of a day at the present speed, beside the most that a person has allowed."
        " Without a limit only the speed is drawn.",
        {
            "begun": f"sum(rate(sirenade_renewals_published_total[{RATE}])) * 86400",
            "allowed": "max(sirenade_renewals_limit_avis)",
        },
    ),
    stat(67, "Last sweep", "h", width=4, decimals=1).shows(
        "How long ago a sweep for texts of another context has ended, in the database that"
        " waits longest; after 72 hours there is an alert. `./sirenade avis sweep` tells more.",
        {"": "(time() - min(sirenade_sweep_last_end_timestamp_seconds)) / 3600"},
        nothing="none yet",
    ),
)

REVIEWER = Board(
    "Reviewer",
    "Texts against what is possible, chat servers, rejections, tokens and cost.",
    (_SPEED, _SERVERS, _QUALITY, _RENEWALS, _MONEY),
)
