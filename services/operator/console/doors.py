"""The doors of the console: logging in, leaving, and choosing a password."""

import datetime as dt
import re
from typing import NamedTuple

from starlette.responses import RedirectResponse, Response

from services.operator.console import accounts, journal, sessions
from services.operator.console.accounts import ConsoleAccount
from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.sessions import ConsoleSession
from services.operator.console.visits import Visit, VisitRefused
from shared.errors import UserError

LOGIN_PATH = "/connexion"
_ACCOUNT_PATH = "/compte"
# A path of ours: no host, no backslash, which browsers read as a slash.
_OWN_PATH = re.compile(r"/(?:[A-Za-z0-9_?=&.,:%+-][A-Za-z0-9_/?=&.,:%+-]*)?")
_WRONG = "Identifiant ou mot de passe inconnu, ou compte verrouillé pour quinze minutes."


class Cookie(NamedTuple):
    """The cookie of a session; browsers tie its name to our host where it is encrypted."""

    name: str
    is_encrypted: bool
    lasts: dt.timedelta

    def put(self, answer: Response, token: str) -> Response:
        answer.set_cookie(
            self.name,
            token,
            max_age=int(self.lasts.total_seconds()),
            secure=self.is_encrypted,
            httponly=True,
            samesite="strict",
        )
        return answer

    def take(self, answer: Response) -> Response:
        answer.delete_cookie(self.name, secure=self.is_encrypted, httponly=True, samesite="strict")
        return answer


def own_path(path: str) -> str:
    """Return a path of the console; its home for whatever leads elsewhere."""
    return path if _OWN_PATH.fullmatch(path) else "/"


def show_login(visit: Visit, fault: str = "") -> Response:
    sought = own_path(visit.word("suite", most=500) or "/")
    return visit.page("login", status=401 if fault else 200, fault=fault, sought=sought)


def log_in(visit: Visit, cookie: Cookie) -> Response:
    """Open a session for whoever has the password, and lead back to the page that they sought."""
    control = visit.engines[0]
    entry = accounts.authenticate(control, visit.word("login"), visit.form.get("password", ""))
    if entry is None:
        return show_login(visit, _WRONG)
    sought = own_path(visit.word("suite", most=500) or "/")
    answer = RedirectResponse(_ACCOUNT_PATH if entry.was_one_time else sought, 303)
    return cookie.put(answer, enter(visit, entry.account, cookie).token)


def enter(visit: Visit, account: ConsoleAccount, cookie: Cookie) -> ConsoleSession:
    with visit.engines[0].begin() as connection:
        journal.note(connection, account.login, "login")
        return sessions.open_session(connection, account, lasts=cookie.lasts)


def log_out(visit: Visit, cookie: Cookie) -> Response:
    with visit.engines[0].begin() as connection:
        journal.note(connection, visit.who.account.login, "logout")
        sessions.end_session(connection, visit.who)
    return cookie.take(RedirectResponse(LOGIN_PATH, 303))


ACCOUNT = Screen("Compte", _ACCOUNT_PATH)


@ACCOUNT.get(_ACCOUNT_PATH, Right.LOOK)
def show_account(visit: Visit) -> Response:
    return visit.page("account", least=accounts.LEAST_PASSWORD)


@ACCOUNT.post(_ACCOUNT_PATH, Right.LOOK)
def choose_password(visit: Visit) -> Response:
    password = visit.form.get("password", "")
    if password != visit.form.get("again", ""):
        raise VisitRefused(400, "Les deux mots de passe diffèrent.", back=_ACCOUNT_PATH)
    with visit.writing() as (control, *_):
        try:
            accounts.change_password(control, visit.who.account.id, password)
        except UserError:
            words = f"Un mot de passe a au moins {accounts.LEAST_PASSWORD} caractères."
            raise VisitRefused(400, words, back=_ACCOUNT_PATH) from None
        visit.note(control, "account.password")
    return visit.done(_ACCOUNT_PATH, "Le mot de passe est changé.")
