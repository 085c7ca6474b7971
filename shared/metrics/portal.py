"""The metrics of the portal's web processes."""

from shared.metrics.catalogue import Catalogue

# A page from the cache takes a millisecond, a search ten; the statement timeout is 2 s.
REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
PAGE_SOURCES = ("cache", "redis", "rows")
SECOND_LEVEL_OUTCOMES = ("found", "missing", "spoiled")


class PortalMetrics:
    def _add_portal(self, new: Catalogue) -> None:
        # A route is a name of the code. 4xx may be the client's fault, 5xx is ours.
        self.portal_requests = new.counter(
            "sirenade_portal_requests", "Requests by route and class of status.", "route", "status"
        )
        self.portal_request_seconds = new.histogram(
            "sirenade_portal_request_seconds",
            "Time from a request to the end of its answer.",
            "route",
            buckets=REQUEST_SECONDS,
        )
        self.portal_pages = new.counter(
            "sirenade_portal_pages", "Pages by where their body came from.", source=PAGE_SOURCES
        )
        # A page that Redis spoils is one that another process, or a person, wrote under our name.
        self.portal_second_level = new.counter(
            "sirenade_portal_second_level",
            "Pages that were looked for in Redis, by what was there.",
            outcome=SECOND_LEVEL_OUTCOMES,
        )
        # Pages divided by validations tell how many requests one query serves.
        self.portal_validations = new.counter(
            "sirenade_portal_validations", "Queries for the versions of pages."
        )
        # A few while an erasure commits; many mean that the index is behind, or wrong.
        self.portal_hits_dropped = new.counter(
            "sirenade_portal_hits_dropped", "Hits of a search whose rows may not be shown any more."
        )
        self.portal_searches_instead = new.counter(
            "sirenade_portal_searches_instead",
            "Looks for words by PostgreSQL because Elasticsearch was away.",
        )
        self.portal_cache_bytes = new.gauge(
            "sirenade_portal_cache_bytes", "Memory of the bodies that are kept."
        )
