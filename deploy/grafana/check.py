"""`python -m deploy.grafana.check PROMETHEUS_URL`: check that each panel's query has data.

Exit status 1 with a line for each fault: a query that is refused, has no data in the last quarter
of an hour, or lacks labels that its legend names.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

from deploy.grafana.layout import DASHBOARDS, panels_of
from shared.errors import SirenadeError
from shared.http.client import Bounds, HttpClient, with_query

_BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "15m"}
_WINDOW_SECONDS = 900
_STEP_SECONDS = 15
_LABEL_VALUES = re.compile(r"label_values\((?P<selector>.*), (?P<label>\w+)\)")


class Refused(SirenadeError):
    """Raised when Prometheus refuses a query."""


class PrometheusApi:
    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = HttpClient(Bounds(seconds=30, body_bytes=1 << 24))

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        url = with_query(f"{self._url}/api/v1/{path}", parameters)
        found: dict[str, Any] = json.loads(self._http.ask("GET", url).body)
        return found

    def series(self, query: str) -> list[dict[str, Any]]:
        """Return the series that have a number. Raises Refused."""
        end = time.time()
        found = self.get(
            "query_range", query=query, start=end - _WINDOW_SECONDS, end=end, step=_STEP_SECONDS
        )
        if found["status"] != "success":
            raise Refused(str(found["error"]))
        return [
            each
            for each in found["data"]["result"]
            if any(value != "NaN" for _, value in each["values"])
        ]


def faults_of(dashboard: dict[str, Any], prometheus: PrometheusApi) -> Iterator[str]:
    variables = dict(_BUILT_IN)
    for variable in dashboard.get("templating", {}).get("list", []):
        asked = _LABEL_VALUES.fullmatch(variable["query"])
        if asked is None:
            yield f"${variable['name']}: cannot be read: {variable['query']}"
            continue
        values = prometheus.get(f"label/{asked['label']}/values", **{"match[]": asked["selector"]})
        if not values["data"]:
            yield f"${variable['name']}: no values"
            continue
        variables[variable["name"]] = values["data"][0]
    for panel in panels_of(dashboard):
        for target in panel.get("targets", []):
            query = substituted(target["expr"], variables)
            if fault := _fault(query, target.get("legendFormat", ""), prometheus):
                yield f"{panel['title']}: {fault}"
    for annotation in dashboard["annotations"]["list"]:
        try:
            prometheus.series(annotation["expr"])
        except Refused as error:
            yield f"annotation {annotation['name']}: {error}"


def substituted(query: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda found: variables.get(found[1], found[0]), query)


def _fault(query: str, legend: str, prometheus: PrometheusApi) -> str | None:
    try:
        series = prometheus.series(query)
    except Refused as error:
        return f"refused: {error}"
    if not series:
        return f"no data: {query}"
    labels = set().union(*(each["metric"] for each in series))
    missing = set(re.findall(r"\{\{(\w+)\}\}", legend)) - labels
    return f"the result lacks the labels {sorted(missing)}" if missing else None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.grafana.check", description=__doc__)
    parser.add_argument("url", help="of a Prometheus that has scraped a run")
    prometheus = PrometheusApi(parser.parse_args().url)
    found = 0
    for path in sorted(DASHBOARDS.glob("*.json")):
        for fault in faults_of(json.loads(path.read_text(encoding="utf-8")), prometheus):
            found += 1
            sys.stdout.write(f"{path.stem}: {fault}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
