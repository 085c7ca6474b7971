"""The portal: what readers ask for, how fast it answers, and how fresh the search is."""

from deploy.grafana.layout import Board, Row
from deploy.grafana.panels import NONE_IS_GOOD, graph, green_to, stat
from deploy.grafana.queries import RATE, per_minute

_REQUESTS = "sirenade_portal_requests_total"
# An export lasts as long as its reader takes.
_SECONDS = 'sirenade_portal_request_seconds_bucket{route!~".*export.*"}'


def _quantile(share: float, by: str = "") -> str:
    return f"histogram_quantile({share}, sum by (le{by}) (rate({_SECONDS}[{RATE}])))"


_GLANCE = Row(1, "At a glance").line(
    stat(2, "Requests", "reqps", width=5, decimals=1).shows(
        "Requests a second, of all replicas.", f"sum(rate({_REQUESTS}[5m]))"
    ),
    stat(3, "p95", "s", width=5, decimals=3, levels=green_to(0.05, 0.5)).shows(
        "Nineteen answers in twenty are quicker. Exports do not count.",
        _quantile(0.95),
        nothing="at rest",
    ),
    stat(4, "Failures", "percentunit", width=5, decimals=2, levels=green_to(0.001, 0.01)).shows(
        "Share of answers with a status of 5xx: faults of ours.",
        f'(sum(rate({_REQUESTS}{{status="5xx"}}[5m])) or vector(0))'
        f" / (sum(rate({_REQUESTS}[5m])) > 0)",
        nothing="at rest",
    ),
    stat(5, "The search is late", "s", width=5, decimals=0, levels=green_to(10, 300)).shows(
        "Age of the oldest change of a page that the index has not read.",
        "max(sirenade_index_lag_seconds)",
    ),
    stat(6, "Entries", "short", width=4).shows(
        "Establishments that a search can find, as PostgreSQL estimates them.",
        "sum(max by (shard) (sirenade_index_entries))",
    ),
    height=4,
)

_TOLD = Row(70, "Receivers of changes, where there are some", is_folded=True).line(
    graph(71, "Messages by outcome", "cpm", stacked=True).shows(
        "Messages to receivers. `refused`: an answer that is no success; `unreachable`: none.",
        {"{{outcome}}": per_minute("sirenade_webhook_deliveries_total", "outcome")},
    ),
    stat(72, "Longest without a message taken", "s", levels=green_to(600, 3600)).shows(
        "Time for which the receiver that fails longest has taken nothing:"
        " ./sirenade portal webhooks list.",
        "max(sirenade_webhook_failing_seconds)",
    ),
    stat(73, "Oldest change that was not told", "s", levels=green_to(600, 3600)).shows(
        "Age of the oldest change that lies before a receiver.",
        "max(sirenade_webhook_oldest_undelivered_seconds)",
    ),
    stat(74, "Given up", "none", levels=NONE_IS_GOOD).shows(
        "Receivers that are gone, or took nothing for five days.",
        "max(sirenade_webhook_paused_receivers)",
    ),
    height=6,
)

_READERS = Row(20, "Readers").line(
    graph(21, "Requests by route", "reqps", stacked=True).shows(
        "What is asked for.", {"{{route}}": f"sum by (route) (rate({_REQUESTS}[{RATE}]))"}
    ),
    graph(22, "Answers by status", "reqps", stacked=True).shows(
        "4xx may be the client's fault, 5xx is ours.",
        {"{{status}}": f"sum by (status) (rate({_REQUESTS}[{RATE}]))"},
    ),
    graph(23, "Time to answer", "s").shows(
        "Half of the answers, and nineteen in twenty, are quicker.",
        {"p50": _quantile(0.5), "p95": _quantile(0.95)},
    ),
)

_PARTS = Row(40, "Pages and search").line(
    graph(41, "Pages by source", "reqps", stacked=True).shows(
        "`cache`: the rows are as they were when the page was made. `redis`: another process made"
        " it. `rows`: it was made anew.",
        {"{{source}}": f"sum by (source) (rate(sirenade_portal_pages_total[{RATE}]))"},
    ),
    graph(42, "Pages for one validation", "none").shows(
        "How many requests one query for versions serves; more under load.",
        {
            "pages": f"sum(rate(sirenade_portal_pages_total[{RATE}]))"
            f" / (sum(rate(sirenade_portal_validations_total[{RATE}])) > 0)"
        },
    ),
    graph(43, "Index", "wps").shows(
        "Entries that the indexer wrote and took away, a second.",
        {
            "put": f"sum(rate(sirenade_index_entries_put_total[{RATE}]))",
            "taken": f"sum(rate(sirenade_index_entries_taken_total[{RATE}]))",
        },
    ),
    graph(44, "Changes that are held back", "s").shows(
        "Age of the oldest change that an open transaction holds back from the index and the feed.",
        {"shard {{shard}}": "max by (shard) (sirenade_page_changes_held_seconds)"},
    ),
)

_ELASTICSEARCH = Row(60, "Elasticsearch, where it is switched on", is_folded=True).line(
    graph(61, "Documents", "wps").shows(
        "Documents that were put and emptied, a second, and those that it could not store.",
        {"{{result}}": f"sum by (result) (rate(sirenade_elasticsearch_documents_total[{RATE}]))"},
    ),
    graph(62, "Lag", "s").shows(
        "Age of the oldest change of a page that it has not confirmed. What was erased is not shown"
        " meanwhile, but it is still stored there.",
        {"{{shard}}": "max by (shard) (sirenade_elasticsearch_lag_seconds)"},
    ),
    graph(63, "Hits", "reqps").shows(
        "Ids that PostgreSQL did not confirm, and looks for words that it did itself.",
        {
            "dropped": f"sum(rate(sirenade_portal_hits_dropped_total[{RATE}]))",
            "instead": f"sum(rate(sirenade_portal_searches_instead_total[{RATE}]))",
        },
    ),
)

PORTAL = Board(
    "Portal",
    "The portal: what readers ask for, how fast it answers, and how fresh the search is.",
    (_GLANCE, _READERS, _PARTS, _TOLD, _ELASTICSEARCH),
)
