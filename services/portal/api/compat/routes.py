"""`/compat/search` and `/compat/near_point`: the answers of API Recherche d'entreprises.

A client changes its address and nothing else. docs/api.md lists what differs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.portal.api import parameters as parameter
from services.portal.api.access.admission import Admission
from services.portal.api.compat.answers import (
    complements_of,
    is_shown,
    matching_of,
    siege_of,
    subject_of,
    unite_of,
)
from services.portal.api.compat.parameters import (
    NEAR_POINT_PARAMETERS,
    NOT_OFFERED,
    SEARCH_PARAMETERS,
    SECONDARY,
)
from services.portal.api.problems import invalid_parameters, problem
from services.portal.api.recherche import filters_of
from services.portal.api.statements import COUNTS_OF_UNITES, SUBJECTS
from services.portal.search.engine import MOST_HITS, Engine, Filters, Found, Hit, Near, Search
from services.portal.web.connections import PortalDatabases
from services.portal.web.problems import Problem

_NO_CRITERION = "Veuillez indiquer au moins un paramètre de recherche."
_ETATS: Mapping[str | None, str | None] = {"A": "A", "C": "F", None: None}
Values = Mapping[str, Any]


class Compat:
    """Answers with units, each with those of its establishments that were found."""

    def __init__(self, databases: PortalDatabases, engine: Engine) -> None:
        self._databases = databases
        self._engine = engine

    async def compat_search(self, request: Request) -> Response:
        values = _read(SEARCH_PARAMETERS, request)
        if not any(values[name] for name in _CRITERIA):
            raise problem("parametre-manquant", _NO_CRITERION)
        etat = _ETATS[values["etat_administratif"]]
        filters = filters_of({**values, "etat": etat, "siege": None})
        return await self._answer(values, Search(q=values["q"] or "", filters=filters))

    async def compat_near_point(self, request: Request) -> Response:
        values = _read(NEAR_POINT_PARAMETERS, request)
        missing = [name for name in ("lat", "long") if values[name] is None]
        if missing:
            raise invalid_parameters(dict.fromkeys(missing, "ce paramètre est nécessaire"))
        near = Near(values["lat"], values["long"], values["radius"] or 5.0)
        filters = Filters(activite_principale=values["activite_principale"])
        return await self._answer(values, Search(filters=filters, near=near, order="distance"))

    async def _answer(self, values: Values, search: Search) -> Response:
        found, hits = await self._page(search, values["page"], values["per_page"])
        by_siren: dict[str, list[Hit]] = {}
        for hit in hits:
            by_siren.setdefault(hit.siret[:9], []).append(hit)
        results = await asyncio.gather(
            *(self._unite(siren, own, values) for siren, own in by_siren.items())
        )
        total, per_page = found.total, values["per_page"]
        body = {
            "results": [each for each in results if each is not None],
            "total_results": total,
            "page": values["page"],
            "per_page": per_page,
            "total_pages": -(-total // per_page),
        }
        return Response(
            orjson.dumps(body), headers={"Cache-Control": "no-store"}, media_type="application/json"
        )

    async def _page(self, search: Search, page: int, per_page: int) -> tuple[Found, Sequence[Hit]]:
        """Return the hits of a page: an engine has no offset, so that earlier ones are walked."""
        hits: list[Hit] = []
        first = found = await self._engine.find(_limited(search, MOST_HITS, None))
        hits += found.hits
        while found.next is not None and len(hits) < page * per_page:
            found = await self._engine.find(_limited(search, MOST_HITS, found.next))
            hits += found.hits
        return first, hits[(page - 1) * per_page : page * per_page]

    async def _unite(
        self, siren: str, hits: Sequence[Hit], values: Values
    ) -> dict[str, Any] | None:
        shard = self._databases.of(siren)
        rows = await shard.run(SUBJECTS, (siren, [hit.siret for hit in hits]))
        subjects = {row["e_siret"]: row for row in map(subject_of, rows)}
        found = [
            row for hit in hits if (row := subjects.get(hit.siret)) is not None and is_shown(row)
        ]
        if not found:
            return None
        ((every, still_open),) = await shard.run(COUNTS_OF_UNITES, (siren,))
        one = found[0]
        siege = subjects.get(f"{siren}{one['u_nic_siege']}")
        secondary: dict[str, Callable[[], Any]] = {
            "siege": lambda: {} if siege is None else siege_of(siege),
            "matching_etablissements": lambda: [
                matching_of(row) for row in found[: values["limite_matching_etablissements"]]
            ],
            "complements": lambda: complements_of(one),
            "dirigeants": list,
            "finances": lambda: None,
        }
        wanted = values["include"] if values["minimal"] else SECONDARY
        more = {name: make() for name, make in secondary.items() if name in wanted}
        return {**unite_of(one, (every, still_open)), **more}


def compat_routes(
    databases: PortalDatabases, engine: Engine, admission: Admission
) -> list[BaseRoute]:
    compat = Compat(databases, engine)
    handlers = {"search": compat.compat_search, "near_point": compat.compat_near_point}
    return [
        Route(f"/compat/{name}", _answering(handler, admission), methods=["GET"])
        for name, handler in handlers.items()
    ]


def _answering(
    handler: Callable[[Request], Awaitable[Response]], admission: Admission
) -> Callable[[Request], Awaitable[Response]]:
    """Answer problems as that API does: an object with `erreur`."""

    async def compat(request: Request) -> Response:
        try:
            await admission.admit(request)
            return await handler(request)
        except Problem as error:
            body = orjson.dumps({"erreur": error.detail or error.words})
            headers = {"Cache-Control": "no-store", **error.headers}
            return Response(body, error.status, headers, media_type="application/json")

    return compat


def _read(declared: Sequence[parameter.Parameter], request: Request) -> Values:
    sent = request.query_params.multi_items()
    for name, _ in sent:
        if name in NOT_OFFERED:
            raise problem("parametre-inconnu", f"{name} : ce critère n'est pas proposé ici")
    values = parameter.read(declared, sent)
    if values["include"] and not values["minimal"]:
        raise invalid_parameters({"include": "il demande minimal=true"})
    return values


_FORM_NAMES = ("minimal", "include", "limite_matching_etablissements", "page", "per_page")
_CRITERIA = tuple(each.name for each in SEARCH_PARAMETERS if each.name not in _FORM_NAMES)


def _limited(search: Search, limit: int, after: str | None) -> Search:
    return Search(
        q=search.q,
        filters=search.filters,
        near=search.near,
        order=search.order,
        limit=limit,
        after=after,
    )
