"""The application: the routes of pages and of the API, one frame around both."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from services.portal.web.problems import ProblemAnswers, Shown, plain_page


def make_app(
    *,
    frame: Callable[[ASGIApp], ASGIApp],
    routes: Sequence[BaseRoute] = (),
    shown: Shown = plain_page,
    at_end: Callable[[], None] = lambda: None,
) -> ASGIApp:
    """Put the routes together, in their frame.

    `shown` makes the page about a problem; `at_end` closes what the routes used.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        at_end()

    app = FastAPI(
        title="Sirenade",
        description="L’annuaire des établissements, d’après le répertoire Sirene de l’Insee.",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # The API has a document of its own.
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers=ProblemAnswers(shown).handlers(),
    )
    app.router.routes.extend(routes)
    return frame(app)
