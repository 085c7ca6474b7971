"""A reader of the portal, who asks about once a second and knows what was committed before."""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import requests

from shared.page_changes import Cursor
from tests.proofs.reads.answers import ReadAnswer, ReadKind
from tests.proofs.reads.register import KnownPage, ReadRegister
from tests.readers import KeptCopies, told_of

# Readers look at pages most of the time; the feed is for programs.
_SHARES = {
    ReadKind.PAGE: 45,
    ReadKind.SEARCH: 25,
    ReadKind.LIST: 15,
    ReadKind.SUGGESTION: 10,
    ReadKind.FEED: 5,
}
_PAUSE_SECONDS = (0.5, 1.5)
_PATIENCE_SECONDS = 20
_OF_TAKEN, _AGAIN = 0.3, 0.3
_CHANGES = 200
_API = "/api/v1"


class _Asked(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False


@dataclass
class ProofReader:
    """Asks again and again; `note` takes each answer."""

    address: str
    register: ReadRegister
    note: Callable[[ReadAnswer], None]
    dice: random.Random
    begun: float
    _session: _Asked = field(default_factory=_Asked)
    _copies: KeptCopies = field(default_factory=KeptCopies)
    _last: KnownPage | None = None
    _place: Cursor | None = None

    def read(self, stopping: threading.Event) -> None:
        """Read until the end is near. What is no answer of HTTP raises."""
        asks = {
            ReadKind.PAGE: self._page,
            ReadKind.SEARCH: self._search,
            ReadKind.LIST: self._list,
            ReadKind.SUGGESTION: self._suggestion,
            ReadKind.FEED: self._feed,
        }
        while not stopping.wait(self.dice.uniform(*_PAUSE_SECONDS)):
            if self.register.pages:
                [kind] = self.dice.choices(list(_SHARES), list(_SHARES.values()))
                asks[kind]()

    def _page(self) -> None:
        page = self._last if self._last and self.dice.random() < _AGAIN else self._some()
        self._last = page
        before = self.register.state_of(page.siret)
        status, body, took = self._ask(f"/pages/{page.slug}", keeps=True)
        fits = before.fits(page.slug, status, body)
        if not fits:
            # Another state may have been committed while the answer was made.
            after = self.register.state_of(page.siret)
            fits = after != before and after.fits(page.slug, status, body)
        self._note(ReadKind.PAGE, status, took, is_stale=_is_answered(status) and not fits)

    def _search(self) -> None:
        page = self._some()
        q = page.nom if self.dice.random() < _OF_TAKEN else f"{page.nom} {page.libelle_commune}"
        if self.dice.random() < _OF_TAKEN:
            at = self.dice.randrange(len(q))
            q = q[:at] + q[at + 1 :]
        path = self.dice.choice(("/recherche", f"{_API}/recherche"))
        self._look(ReadKind.SEARCH, f"{path}?{urlencode({'q': q[:200]})}")

    def _list(self) -> None:
        page = self._some()
        of_trade = self.dice.choice((f"/{page.activite_principale}", ""))
        self._look(ReadKind.LIST, f"/communes/{page.code_commune}{of_trade}")

    def _suggestion(self) -> None:
        letters = self._some().nom[: self.dice.randint(2, 6)].strip()
        q = letters if len(letters) > 1 else "bou"
        self._look(ReadKind.SUGGESTION, f"{_API}/suggestions?{urlencode({'q': q})}")

    def _feed(self) -> None:
        taken = self.register.taken.marks
        end = self.register.end_of_changes(self._place, _CHANGES)
        depuis = f"&depuis={self._place}" if self._place else ""
        status, body, took = self._ask(f"{_API}/changements?limite={_CHANGES}{depuis}")
        is_stale = False
        if status == 200:
            answer = json.loads(body)
            reached = Cursor.parse(answer["suite"])
            named = [each["siret"] for each in answer["changements"] if each["page"]]
            is_stale = reached < end or not taken.isdisjoint(named)
            self._place = reached
        self._note(ReadKind.FEED, status, took, is_stale=is_stale)

    def _look(self, kind: ReadKind, path: str) -> None:
        """Ask for something that tells no siret which was taken before."""
        taken = self.register.taken.marks
        status, body, took = self._ask(path)
        self._note(kind, status, took, is_stale=bool(told_of(taken, body)))

    def _some(self) -> KnownPage:
        taken = self.register.taken_pages
        return self.dice.choice(
            taken if taken and self.dice.random() < _OF_TAKEN else self.register.pages
        )

    def _ask(self, path: str, *, keeps: bool = False) -> tuple[int, str, float]:
        """Return the status, what the reader sees, and the milliseconds that it took."""
        copies = self._copies if keeps else KeptCopies()
        begun = time.perf_counter()
        try:
            answer = self._session.get(
                self.address + path,
                headers=copies.condition(path),
                timeout=_PATIENCE_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException:
            return 0, "", (time.perf_counter() - begun) * 1000
        took = (time.perf_counter() - begun) * 1000
        return answer.status_code, copies.seen(path, answer), took

    def _note(self, kind: ReadKind, status: int, took: float, *, is_stale: bool) -> None:
        at = round(time.monotonic() - self.begun, 2)
        self.note(ReadAnswer(kind, at, status, round(took, 2), is_stale))


def _is_answered(status: int) -> bool:
    return 0 < status < 500
