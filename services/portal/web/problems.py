"""The answers to requests that fail: problems by RFC 9457 for programs, a page for people."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from html import escape
from math import ceil
from typing import Any

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import SirenadeError, SlowDown
from shared.logs import name_of, places_of

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "Requête incorrecte",
    401: "Clé requise",
    403: "Accès refusé",
    404: "Introuvable",
    405: "Méthode non permise",
    406: "Format non proposé",
    408: "Requête trop lente",
    410: "Retiré",
    413: "Requête trop longue",
    414: "Adresse trop longue",
    422: "Requête incorrecte",
    429: "Trop de requêtes",
    431: "En-têtes trop longs",
    500: "Erreur interne",
    503: "Service momentanément indisponible",
}
_FOR_PEOPLE: Mapping[int, str] = {
    404: "Cette adresse ne mène à aucune page de l’annuaire.",
    405: "Cette page ne se demande pas ainsi.",
    410: "Cette page n’existe plus.",
    500: "Une erreur est survenue de notre côté. Elle est enregistrée.",
    503: "Le service est trop sollicité. Réessayez dans quelques instants.",
}
_NO_STORE = {"Cache-Control": "no-store"}


@dataclass
class Problem(SirenadeError):
    """Raised where a request is answered by a problem; `kind` is the last part of its type.

    `detail` is French, and says what to do; `more` are the members of this kind of problem.
    """

    status: int
    kind: str = ""
    title: str = ""
    detail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return self.title or _TITLES.get(self.status, "Erreur")

    def body(self) -> bytes:
        members: dict[str, object] = {
            "type": f"/problemes/{self.kind}" if self.kind else "about:blank",
            "title": self.words,
            "status": self.status,
        }
        if self.detail:
            members["detail"] = self.detail
        return orjson.dumps({**members, **self.more})


Handler = Callable[..., Coroutine[Any, Any, Response]]
Shown = Callable[[Problem], bytes]
"""Makes the page about a problem, for people."""


def plain_page(problem: Problem) -> bytes:
    """Return a page that needs no template."""
    detail = problem.detail or _FOR_PEOPLE.get(problem.status, "")
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="robots" content="noindex">'
        f"<title>{escape(problem.words)}</title></head><body><main>"
        f"<h1>{escape(problem.words)}</h1><p>{escape(detail)}</p></main></body></html>"
    ).encode()


def detail_for_people(problem: Problem) -> str:
    return problem.detail or _FOR_PEOPLE.get(problem.status, "")


class ProblemAnswers:
    """Turns what a route raises into its answer."""

    def __init__(self, shown: Shown = plain_page) -> None:
        self._shown = shown

    def handlers(self) -> dict[int | type[Exception], Handler]:
        return {
            Problem: self._of_problem,
            SlowDown: self._of_slow_down,
            HTTPException: self._of_http,
            Exception: self._of_fault,
        }

    def answer(self, request: Request, problem: Problem) -> Response:
        headers = {**_NO_STORE, **problem.headers}
        if wants_html(request):
            return Response(
                self._shown(problem), problem.status, headers, media_type="text/html; charset=utf-8"
            )
        return Response(problem.body(), problem.status, headers, media_type=MEDIA_TYPE)

    async def _of_problem(self, request: Request, problem: Problem) -> Response:
        return self.answer(request, problem)

    async def _of_slow_down(self, request: Request, error: SlowDown) -> Response:
        seconds = max(1, ceil(min(error.retry_after_seconds, 30.0)))
        busy = Problem(503, "indisponible", headers={"Retry-After": str(seconds)})
        return self.answer(request, busy)

    async def _of_http(self, request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        return self.answer(request, Problem(error.status_code, headers=headers))

    async def _of_fault(self, request: Request, error: Exception) -> Response:
        log.error("request failed", error=name_of(error), at=places_of(error))
        return self.answer(request, Problem(500))


def wants_html(request: Request) -> bool:
    """Return whether a person asks: the API and its like are for programs."""
    path = request.url.path
    if path.startswith(("/api/", "/compat/", "/openapi")):
        return False
    return "text/html" in request.headers.get("accept", "text/html")
