"""The portal: slow answers, failing answers, a search or its Elasticsearch that falls behind."""

from shared.alerts.condition import severities

critical, warning = severities("sirenade-portal")

CONDITIONS = (
    critical(
        "SirenadePortalFails",
        expression="""
            sum(rate(sirenade_portal_requests_total{status="5xx"}[5m]))
              / (sum(rate(sirenade_portal_requests_total[5m])) > 0) > 0.01
        """,
        hold="5m",
        summary="{{ $value | humanizePercentage }} of the portal's answers are failures of ours.",
    ),
    # An export lasts as long as its reader takes.
    warning(
        "SirenadePortalSlow",
        expression="""
            histogram_quantile(0.95, sum by (le) (
              rate(sirenade_portal_request_seconds_bucket{route!~".*export.*"}[5m]))) > 0.5
        """,
        hold="10m",
        summary="One answer of the portal in twenty takes longer than"
        " {{ $value | humanizeDuration }}.",
    ),
    warning(
        "SirenadeIndexLate",
        expression="max(sirenade_index_lag_seconds) > 300",
        hold="10m",
        summary="The search lacks changes of the last {{ $value | humanizeDuration }}.",
    ),
    # Nothing that was erased is shown meanwhile, but it is still stored there.
    warning(
        "SirenadeElasticsearchLate",
        expression="max(sirenade_elasticsearch_lag_seconds) > 300",
        hold="10m",
        summary="Elasticsearch lacks changes of the last {{ $value | humanizeDuration }}.",
    ),
    warning(
        "SirenadeElasticsearchRefuses",
        expression="""
            sum(increase(sirenade_elasticsearch_documents_total{result="refused"}[1h])) > 0
        """,
        hold="1m",
        summary="Elasticsearch could not store {{ $value | humanize }} documents.",
    ),
    # It is tried again for five days, and then paused.
    warning(
        "SirenadeWebhookFails",
        expression="max(sirenade_webhook_failing_seconds) > 3600",
        hold="10m",
        summary="A receiver of changes has taken no message for {{ $value | humanizeDuration }}.",
    ),
)
