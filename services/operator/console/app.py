"""The application: who asks, what they may do, and the screen that answers."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from hmac import compare_digest
from urllib.parse import parse_qsl

import structlog
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from services.operator.console import accounts, doors, sessions
from services.operator.console.documents import ConsoleDocuments
from services.operator.console.doors import LOGIN_PATH, Cookie
from services.operator.console.frame import BODY_BYTES, ConsoleFrame
from services.operator.console.lookout import Lookout
from services.operator.console.origins import Origins
from services.operator.console.rights import RIGHTS
from services.operator.console.screen import Screen, ScreenRoute
from services.operator.console.sessions import ConsoleSession
from services.operator.console.settings import ConsoleSettings
from services.operator.console.visits import MenuEntry, Visit, VisitRefused
from shared.db.outages import slowing_down
from shared.errors import SlowDown, UserError
from shared.logs import name_of, places_of

log = structlog.get_logger()

_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
_MOST_FIELDS = 5_000
_WORDS = {404: "Cette page n’existe pas.", 413: "Ce formulaire est trop long."}
Work = Callable[[Visit], Response]


class ConsoleApp:
    """The routes of all screens. `engines` are those of the control database, then of shards."""

    def __init__(
        self,
        settings: ConsoleSettings,
        engines: Sequence[Engine],
        screens: Sequence[Screen],
        lookout: Lookout,
    ) -> None:
        self._settings = settings
        self._engines = engines
        self._screens = screens
        self._lookout = lookout
        self._documents = ConsoleDocuments()
        self._origins = Origins(settings)
        self._cookie = Cookie(
            "__Host-session" if self._origins.is_encrypted else "session",
            self._origins.is_encrypted,
            dt.timedelta(hours=settings.console_session_hours),
        )
        # Each works with a connection of its own to every database.
        self._threads = ThreadPoolExecutor(settings.console_connections, "console")

    def asgi(self) -> ASGIApp:
        app = Starlette(
            routes=list(self._routes()),
            lifespan=self._lifespan,
            exception_handlers={HTTPException: self._of_http},
        )
        app.router.redirect_slashes = False
        return ConsoleFrame(app, self._origins)

    def _routes(self) -> Sequence[BaseRoute]:
        every = [route for screen in (*self._screens, doors.ACCOUNT) for route in screen.routes()]
        return [
            Route("/healthz", self._healthz),
            *(Route(path, self._file) for path in self._documents.files),
            Route(LOGIN_PATH, self._show_login, methods=["GET"]),
            Route(LOGIN_PATH, self._log_in, methods=["POST"]),
            Route("/deconnexion", self._log_out, methods=["POST"]),
            *(
                Route(each.path, partial(self._of_screen, each), methods=[each.method])
                for each in every
            ),
        ]

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._lookout.start()
        yield
        self._lookout.stop()
        self._threads.shutdown(cancel_futures=True)
        for engine in self._engines:
            engine.dispose()

    async def _healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _file(self, request: Request) -> Response:
        file = self._documents.files[request.url.path]
        return Response(file.content, media_type=file.media_type, headers=_FOR_GOOD)

    async def _show_login(self, request: Request) -> Response:
        return await self._in_thread(doors.show_login, await self._visit(request))

    async def _log_in(self, request: Request) -> Response:
        visit = await self._visit(request)
        return await self._in_thread(
            lambda visit: doors.log_in(self._of_own_site(request, visit), self._cookie), visit
        )

    async def _log_out(self, request: Request) -> Response:
        def leave(visit: Visit) -> Response:
            return doors.log_out(
                self._with_token(request, self._known(request, visit)), self._cookie
            )

        return await self._in_thread(leave, await self._visit(request))

    async def _of_screen(self, route: ScreenRoute, request: Request) -> Response:
        return await self._in_thread(
            lambda visit: self._answer(route, request, visit), await self._visit(request)
        )

    async def _of_http(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        words = _WORDS.get(status, "Cette page ne se demande pas ainsi.")
        return _refused(await self._visit(request, with_form=False), VisitRefused(status, words))

    def _answer(self, route: ScreenRoute, request: Request, visit: Visit) -> Response:
        known = self._known(request, visit)
        if known.session is None:
            return self._to_login(request)
        if route.method == "POST":
            known = self._with_token(request, known)
        if not known.may(route.right):
            raise VisitRefused(403, "Votre rôle ne permet pas cette action.")
        answer = self._shielded(lambda: route.answer(known), known)
        if known.who.token != request.cookies.get(self._cookie.name):
            self._cookie.put(answer, known.who.token)
        return answer

    def _known(self, request: Request, visit: Visit) -> Visit:
        """Return the visit with its session: of the cookie, or of the proxy's account."""
        session = self._session(request, visit)
        return (
            visit
            if session is None
            else replace(visit, session=session, menu=self._menu(visit, session))
        )

    def _session(self, request: Request, visit: Visit) -> ConsoleSession | None:
        token = request.cookies.get(self._cookie.name, "")
        with self._engines[0].connect() as connection:
            session = sessions.find_session(connection, token) if token else None
            named = self._origins.named_login(request.headers, visit.client)
            if named is None or (session is not None and session.account.login == named):
                return session
            account = accounts.find_account(connection, named)
        return None if account is None else doors.enter(visit, account, self._cookie)

    def _menu(self, visit: Visit, session: ConsoleSession) -> Sequence[MenuEntry]:
        rights = RIGHTS[session.account.role]
        return [
            MenuEntry(each.title, each.path, is_current=_is_below(visit.path, each.path))
            for each in self._screens
            if each.right in rights
        ]

    def _to_login(self, request: Request) -> Response:
        to = f"{LOGIN_PATH}?suite={doors.own_path(request.url.path)}"
        if "hx-request" in request.headers:
            # A script would put the login into a part of the page.
            return Response(status_code=401, headers={"HX-Redirect": to})
        return RedirectResponse(to, 303)

    def _with_token(self, request: Request, visit: Visit) -> Visit:
        """Raises VisitRefused unless a form of this session was sent."""
        self._of_own_site(request, visit)
        if visit.session is None or not compare_digest(
            visit.form.get("csrf", "").encode(), visit.session.csrf.encode()
        ):
            raise VisitRefused(403, "Ce formulaire a vieilli : rechargez la page.")
        return visit

    def _of_own_site(self, request: Request, visit: Visit) -> Visit:
        if not self._origins.is_own_site(request.headers):
            raise VisitRefused(403, "Ce formulaire s’envoie depuis la console.")
        return visit

    async def _visit(self, request: Request, *, with_form: bool = True) -> Visit:
        fields: dict[str, list[str]] = {}
        if request.method == "POST" and with_form:
            for name, value in await _form(request):
                fields.setdefault(name, []).append(value)
        return Visit(
            engines=self._engines,
            settings=self._settings,
            documents=self._documents,
            lookout=self._lookout,
            path=request.url.path,
            query=dict(request.query_params),
            fields=fields,
            parameters=request.path_params,
            is_post=request.method == "POST",
            client=request.client.host if request.client else None,
        )

    async def _in_thread(self, work: Work, visit: Visit) -> Response:
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._shielded, lambda: work(visit), visit
        )

    def _shielded(self, work: Callable[[], Response], visit: Visit) -> Response:
        """Do the work; make a page of whatever it raises."""
        try:
            with slowing_down():
                return work()
        except VisitRefused as refusal:
            return _refused(visit, refusal)
        except UserError as error:
            words = "La commande refuse."
            return _refused(visit, VisitRefused(409, words, reason=str(error), back=visit.path))
        except SlowDown:
            # The database is not asked again.
            words = "La base de données ne répond pas assez vite. Réessayez dans un instant."
            busy = VisitRefused(503, words, headers={"Retry-After": "5"})
            return _refused(replace(visit, session=None), busy)
        except Exception as error:  # noqa: BLE001  a fault of one screen, which is logged
            return _failed(visit, error)


def _failed(visit: Visit, error: Exception) -> Response:
    log.error("request failed", error=name_of(error), at=places_of(error))
    words = "Une erreur est survenue. Elle est enregistrée."
    return _refused(replace(visit, session=None), VisitRefused(500, words))


def _refused(visit: Visit, refusal: VisitRefused) -> Response:
    answer = visit.page("refusal", status=refusal.status, refusal=refusal)
    answer.headers.update(refusal.headers)
    return answer


async def _form(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form, in order. Raises HTTPException where it is too long."""
    taken = bytearray()
    async for part in request.stream():
        taken += part
        if len(taken) > BODY_BYTES:
            raise HTTPException(413)
    text = taken.decode("utf-8", "replace")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise HTTPException(413) from None


def _is_below(path: str, entry: str) -> bool:
    return path == entry or (entry != "/" and path.startswith(f"{entry}/"))
