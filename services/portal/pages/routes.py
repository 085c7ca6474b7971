"""The routes of pages: home, establishments, assets, robots."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.portal.pages.documents import Documents
from services.portal.pages.french import long_date
from services.portal.pages.moved import find_moved
from services.portal.pages.page_server import PageServer
from services.portal.web.connections import PortalDatabases
from services.portal.web.freshness import RegisterFreshness
from services.portal.web.problems import Problem
from shared.days import day_in_france
from shared.sirene.identifiers import is_siret

HTML = "text/html; charset=utf-8"
# A proxy or a browser asks each time: nobody answers alone with a name that was erased.
ASK_FIRST = {"Cache-Control": "no-cache"}
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
_SIRET_DIGITS = 14
_GONE = (
    "Cette page n’existe plus à cette adresse : l’établissement est fermé, ou son nom est effacé."
)


class PageRoutes:
    def __init__(
        self,
        databases: PortalDatabases,
        documents: Documents,
        store: PageServer,
        freshness: RegisterFreshness,
    ) -> None:
        self._databases = databases
        self._documents = documents
        self._store = store
        self._freshness = freshness

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route("/", self.home),
            Route("/pages/{slug}", self.page),
            Route("/robots.txt", self.robots),
            *(Route(path, self.asset) for path in self._documents.assets),
        )

    async def home(self, _request: Request) -> Response:
        until, _, imported_at = await self._freshness.state()
        content = self._documents.render(
            "home",
            address=self._documents.address_of("/"),
            until=until and long_date(until.date()),
            imported=imported_at and long_date(day_in_france(imported_at)),
        )
        return Response(content, media_type=HTML, headers=ASK_FIRST)

    async def page(self, request: Request) -> Response:
        """Answer the page of an establishment; any slug that ends with its siret leads to it."""
        slug: str = request.path_params["slug"]
        siret = slug[-_SIRET_DIGITS:]
        if not is_siret(siret) or not slug.isprintable():
            raise Problem(404)
        served = await self._store.serve(slug, siret, request.headers.get("if-none-match", ""))
        if served is not None:
            headers = {**ASK_FIRST, "ETag": served.etag}
            if served.content is None:
                return Response(status_code=304, headers=headers)
            return Response(served.content, media_type=HTML, headers=headers)
        moved = await find_moved(self._databases, slug, siret)
        if moved is None:
            raise Problem(404)
        if moved.slug is None:
            raise Problem(410, "efface", detail=_GONE)
        return RedirectResponse(f"/pages/{moved.slug}", 301, headers=ASK_FIRST)

    async def robots(self, _request: Request) -> Response:
        address = self._documents.address_of("/sitemap.xml")
        closed = "".join(
            f"Disallow: {path}\n" for path in ("/recherche", "/signaler/", "/opposition/")
        )
        text = f"User-agent: *\n{closed}\nSitemap: {address}\n"
        return Response(text, media_type="text/plain; charset=utf-8", headers=ASK_FIRST)

    async def asset(self, request: Request) -> Response:
        asset = self._documents.assets[request.url.path]
        return Response(asset.content, media_type=asset.media_type, headers=_FOR_GOOD)
