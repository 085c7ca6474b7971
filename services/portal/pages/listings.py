"""Lists of pages: what a search finds, and what is in a commune. They are made anew each time.

An engine answers ids; the rows are read afterwards, so that nothing erased is listed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.portal.pages.documents import Documents
from services.portal.pages.french import thousands
from services.portal.pages.statements import HITS
from services.portal.pages.subject import shown_name
from services.portal.search.engine import Engine, Facet, Filters, Found, Hit, Search, UnknownPlace
from services.portal.web.connections import PortalDatabases, Row
from services.portal.web.problems import Problem
from shared.metrics import Metrics
from shared.sirene.identifiers import is_siret
from shared.sirene.records import SOLE_TRADER
from shared.sirene.reference import communes, libelle_activite, libelle_commune

HTML = "text/html; charset=utf-8"
_ASK_FIRST = {"Cache-Control": "no-cache"}
_NO_STORE = {"Cache-Control": "no-store"}
_MOST_LETTERS = 200
_PER_PAGE = 25
_MOST_TRADES = 30


class ShownHit(NamedTuple):
    slug: str
    name: str
    activite: str | None
    commune: str | None
    code_postal: str | None


class TradeLink(NamedTuple):
    code: str
    label: str
    number: str


class Listings:
    def __init__(
        self, databases: PortalDatabases, documents: Documents, engine: Engine, metrics: Metrics
    ) -> None:
        self._databases = databases
        self._metrics = metrics
        self._documents = documents
        self._engine = engine

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route("/recherche", self.search),
            Route("/communes/{code}", self.commune),
            Route("/communes/{code}/{activite}", self.commune),
        )

    async def search(self, request: Request) -> Response:
        q = request.query_params.get("q", "").strip()[:_MOST_LETTERS]
        digits = "".join(q.split())
        if is_siret(digits):
            # It leads to the page, or says why there is none.
            return RedirectResponse(f"/pages/{digits}", 303, headers=_NO_STORE)
        found = (
            Found()
            if not q
            else await self._find(Search(q=q, filters=Filters(etat="A"), limit=_PER_PAGE), request)
        )
        hits = await self._read(found.hits)
        heading = (
            f"Résultats pour «\u00a0{q}\u00a0»" if hits else "Aucun résultat" if q else "Recherche"
        )
        content = self._documents.render(
            "search",
            q=q,
            heading=heading,
            total=_total(found) if hits else "",
            corrected=list(found.understood.corrected.items()),
            left_out=found.understood.left_out,
            activites=_called(found),
            hits=hits,
            next=_next(request, found, q=q),
        )
        return Response(content, media_type=HTML, headers=_NO_STORE)

    async def commune(self, request: Request) -> Response:
        """List the establishments of a commune, or of a trade in it."""
        code = request.path_params["code"]
        activite: str = request.path_params.get("activite", "")
        commune = libelle_commune(code)
        label = libelle_activite(activite, None) if activite else None
        if commune is None or code not in communes() or (activite and label is None):
            raise Problem(404)
        filters = Filters(
            code_commune=[code], activite_principale=[activite] if activite else (), etat="A"
        )
        facets: Sequence[Facet] = () if activite else ("activite_principale",)
        wanted = Search(filters=filters, limit=_PER_PAGE, facets=facets)
        found = await self._find(wanted, request)
        hits = await self._read(found.hits)
        content = self._documents.render(
            "list",
            heading=f"{label} à {commune}" if label else f"Établissements à {commune}",
            address=self._documents.address_of(request.url.path),
            code_commune=code,
            commune=commune,
            activite=label,
            is_later="curseur" in request.query_params,
            total=_total(found) if hits else "",
            trades=_trades(found.facets.get("activite_principale", ())),
            hits=hits,
            next=_next(request, found),
        )
        return Response(content, media_type=HTML, headers=_ASK_FIRST)

    async def _find(self, search: Search, request: Request) -> Found:
        after = request.query_params.get("curseur")
        try:
            return await self._engine.find(replace(search, after=after))
        except UnknownPlace:
            raise Problem(400, "curseur-invalide", detail="Ce lien n’est plus valable.") from None

    async def _read(self, hits: Sequence[Hit]) -> list[ShownHit]:
        """Read the rows of hits, in their order; hits that may not be shown drop out, counted."""
        by_shard: dict[int, list[int]] = {}
        for hit in hits:
            by_shard.setdefault(self._databases.number_of(hit.siret), []).append(hit.id)
        rows = [
            row
            for number, ids in by_shard.items()
            for row in await self._databases.shards[number].run(HITS, (ids,))
        ]
        by_id = {row[0]: row for row in rows}
        self._metrics.portal_hits_dropped.inc(len(hits) - len(by_id))
        return [_shown(by_id[hit.id]) for hit in hits if hit.id in by_id]


def _called(found: Found) -> Sequence[tuple[str, str]]:
    """Return words with the labels of the activities that they call; a label stands once."""
    labels: dict[tuple[str, ...], list[str]] = {}
    for word, codes in found.understood.activites.items():
        labels.setdefault(tuple(codes), []).append(word)
    return [
        (
            " ".join(words),
            ", ".join(dict.fromkeys(libelle_activite(code, None) or code for code in codes)),
        )
        for codes, words in labels.items()
    ]


def _shown(row: Row) -> ShownHit:
    _, slug, _, nom, source, activite, commune, code_commune, sigle, forme, code_postal = row
    return ShownHit(
        slug=slug,
        name=shown_name(nom, source, code_commune, sigle),
        activite=activite,
        commune=commune,
        code_postal=None if forme in {SOLE_TRADER, None} else code_postal,
    )


def _total(found: Found) -> str:
    number = thousands(found.total)
    noun = "établissement" if found.total == 1 else "établissements"
    return f"{number} {noun}" if found.total_exact else f"Plus de {number} {noun}"


def _trades(counted: Iterable[tuple[str, int]]) -> list[TradeLink]:
    labelled = ((code, libelle_activite(code, None), number) for code, number in counted)
    return [TradeLink(code, label, thousands(number)) for code, label, number in labelled if label][
        :_MOST_TRADES
    ]


def _next(request: Request, found: Found, **also: str) -> str | None:
    if found.next is None:
        return None
    return f"{request.url.path}?{urlencode({**also, 'curseur': found.next})}"
