"""The application: the routes of pages and of the API, one frame around both."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
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
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        at_end()

    app = Starlette(
        routes=routes, exception_handlers=ProblemAnswers(shown).handlers(), lifespan=lifespan
    )
    app.router.redirect_slashes = False
    return frame(app)
