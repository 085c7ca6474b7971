"""A visit: one request of a person who is logged in, and what a screen answers with."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Engine
from starlette.responses import RedirectResponse, Response

from services.operator.console import journal, sessions
from services.operator.console.documents import ConsoleDocuments
from services.operator.console.lookout import Lookout
from services.operator.console.rights import RIGHTS, Right
from services.operator.console.sessions import ConsoleSession
from services.operator.console.settings import ConsoleSettings
from shared.controls import without_controls
from shared.db.shards import connected
from shared.errors import SirenadeError

HTML = "text/html; charset=utf-8"
CONFIRMED = "confirme"
"""The form's field that a page of confirmation adds."""
PART = "partie"
"""The parameter of a request that looks at a part of a page anew."""
_MOST_ID = 2**63 - 1
_OWN_FIELDS = frozenset({"csrf", CONFIRMED})


@dataclass
class VisitRefused(SirenadeError):
    """Raised where a screen refuses. `words` are French, and say what to do."""

    status: int
    words: str
    reason: str = ""
    """The words of a function that refused, in English."""
    back: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MenuEntry:
    title: str
    path: str
    is_current: bool


@dataclass(frozen=True)
class Visit:
    """`engines` are those of the control database, then of each shard in another one.

    `query` and `form` hold the last value of each name; `all` has those of a name that comes
    several times. `parameters` are the numbers in the path.
    """

    engines: Sequence[Engine]
    settings: ConsoleSettings
    documents: ConsoleDocuments
    lookout: Lookout
    path: str
    session: ConsoleSession | None = None
    menu: Sequence[MenuEntry] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    is_post: bool = False
    client: str | None = None

    @property
    def who(self) -> ConsoleSession:
        """The session of a route for people who are logged in, as all are but the login."""
        assert self.session is not None
        return self.session

    @property
    def rights(self) -> frozenset[Right]:
        return RIGHTS[self.session.account.role] if self.session else frozenset()

    def may(self, right: str) -> bool:
        return right in self.rights

    # The request's words and numbers.

    @property
    def form(self) -> Mapping[str, str]:
        return {name: values[-1] for name, values in self.fields.items()}

    def word(self, name: str, *, most: int = 200) -> str:
        """Return a form's field or the query's, without control characters; empty without it."""
        found = (self.form if self.is_post else self.query).get(name, "")
        return without_controls(found).strip()[:most]

    def number(self, name: str) -> int | None:
        """Return a number of the form or the query; None without it. Raises VisitRefused."""
        found = self.word(name)
        if not found:
            return None
        if not (found.isascii() and found.isdecimal() and int(found) <= _MOST_ID):
            raise VisitRefused(400, "Ce nombre ne se lit pas.", back=self.path)
        return int(found)

    def all(self, name: str) -> Sequence[str]:
        return self.fields.get(name, ())

    @property
    def is_confirmed(self) -> bool:
        return self.form.get(CONFIRMED) == "oui"

    @property
    def is_part(self) -> bool:
        """A script looks at a part of the page anew."""
        return PART in self.query

    def same(self, **changed: object) -> str:
        """Return the address of this page with other parameters; None leaves one out."""
        kept = {name: value for name, value in self.query.items() if name != PART}
        merged = {**kept, **changed}
        left = {name: str(value) for name, value in merged.items() if value is not None}
        return f"{self.path}?{urlencode(left)}" if left else self.path

    # The databases.

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, ...]]:
        """Connect to each database, the control database first."""
        with connected(self.engines) as connections:
            yield connections

    @contextmanager
    def writing(self) -> Iterator[tuple[Connection, ...]]:
        """Begin a transaction in each database; that of the control database commits last."""
        with connected(self.engines, write=True) as connections:
            yield connections

    def note(self, control: Connection, action: str, subject: str = "") -> None:
        """Note an action in the journal, in the transaction that does it."""
        journal.note(control, self.who.account.login, action, subject)

    # The answers of a screen.

    def page(self, template: str, /, *, status: int = 200, **values: object) -> Response:
        """Show a template of the console."""
        content = self.documents.render(
            template,
            visit=self,
            path=self.path,
            menu=self.menu,
            csrf=self.session.csrf if self.session else "",
            account=self.session.account if self.session else None,
            notice=self._take_notice(),
            **values,
        )
        return Response(content, status, media_type=HTML)

    def done(self, path: str, notice: str) -> Response:
        """Go to a page, which shows these words about what was done."""
        with self.engines[0].begin() as connection:
            sessions.tell(connection, self.who, notice)
        return RedirectResponse(path, 303)

    def ask(
        self, question: str, answer: str, *, back: str, details: Sequence[str] = ()
    ) -> Response:
        """Ask before what cannot be undone; the same form comes back with `is_confirmed`.

        `answer` is the word on the button, `back` the page for whoever changes their mind.
        """
        sent = [
            (name, value)
            for name, values in self.fields.items()
            for value in values
            if name not in _OWN_FIELDS
        ]
        return self.page(
            "confirm", question=question, answer=answer, back=back, details=details, sent=sent
        )

    def _take_notice(self) -> str | None:
        """Return the words about the last action, which one page shows."""
        session = self.session
        if session is None or session.notice is None or self.is_part or self.is_post:
            return None
        with self.engines[0].begin() as connection:
            sessions.tell(connection, session, None)
        return session.notice
