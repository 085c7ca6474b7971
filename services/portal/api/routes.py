"""The routes of the API, put together."""

from collections.abc import Callable, Sequence

import orjson
from sqlalchemy import Engine as Log
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.portal.api.access.admission import Admission
from services.portal.api.answers import Stamp, validated
from services.portal.api.changes.feed import Changements
from services.portal.api.compat.routes import compat_routes
from services.portal.api.endpoints import endpoints, route_of
from services.portal.api.exports.files import Exports
from services.portal.api.fiches import Fiches
from services.portal.api.openapi import document
from services.portal.api.recherche import Recherche
from services.portal.api.reference import reference
from services.portal.api.results import Results
from services.portal.search.engine import Engine
from services.portal.web.connections import PortalDatabases
from services.portal.web.freshness import RegisterFreshness
from shared.metrics import Metrics


def api_routes(  # noqa: PLR0913  the parts of the portal
    databases: PortalDatabases,
    engine: Engine,
    freshness: RegisterFreshness,
    logs: Sequence[Log],
    metrics: Metrics,
    *,
    base_url: str,
    anonymous_per_minute: int,
    render: Callable[..., bytes],
) -> list[BaseRoute]:
    """Return the routes. `logs` are engines of the shards, in order, for the log of changes.

    `render` makes a page of a template's name and values.
    """
    admission = Admission(databases.control, anonymous_per_minute=anonymous_per_minute)
    stamp, results = Stamp(freshness), Results(databases, metrics)
    listed = endpoints(
        Recherche(engine, results, stamp),
        Fiches(databases, stamp),
        Changements(databases, logs, stamp, base_url),
        Exports(engine, results, stamp),
    )
    body = orjson.dumps(document(listed, base_url))

    async def openapi(request: Request) -> Response:
        return validated(request, body, "application/json")

    page = render("reference", **reference(listed))

    async def docs(request: Request) -> Response:
        return validated(request, page, "text/html; charset=utf-8")

    return [
        *(route_of(each, admission) for each in listed),
        Route("/openapi.json", openapi, methods=["GET"]),
        Route("/docs", docs, methods=["GET"]),
        *compat_routes(databases, engine, admission),
    ]
