"""Accounts: passwords that work once, the lock, sessions that end, roles that change at once."""

import threading

import pytest
from sqlalchemy import Engine, text

from services.operator.console import accounts
from shared.errors import UserError
from tests.consoles import RunningConsole, Visitor
from tests.integration.operator.console.conftest import LogIn

_LONG = "un mot de passe assez long"


def _account(engine: Engine, login: str = "claire", role: str = "editor") -> str:
    with engine.begin() as connection:
        return accounts.put_account(connection, login, role)


def _own_password(console: RunningConsole, engine: Engine) -> Visitor:
    visitor = console.visitor()
    visitor.log_in("claire", _account(engine))
    answer = visitor.post("/compte", {"password": _LONG, "again": _LONG})
    assert "est changé" in answer.words
    return visitor


def test_a_password_for_one_use_works_once(console: RunningConsole, engine: Engine) -> None:
    password = _account(engine)
    first = console.visitor().log_in("claire", password)
    assert "Choisir un mot de passe" in first.words
    second = console.visitor().log_in("claire", password)
    assert (second.status, "mot de passe inconnu" in second.words) == (401, True)


def test_a_chosen_password_stays(console: RunningConsole, engine: Engine) -> None:
    _own_password(console, engine)
    for _ in range(2):
        assert console.visitor().log_in("claire", _LONG).status == 200


def test_words_about_an_action_are_shown_once(console: RunningConsole, engine: Engine) -> None:
    visitor = _own_password(console, engine)
    assert "est changé" not in visitor.get("/compte").words


@pytest.mark.parametrize(("password", "again"), [("court", "court"), (_LONG, "un autre")])
def test_a_password_is_long_and_written_twice(log_in: LogIn, password: str, again: str) -> None:
    assert log_in("reader").post("/compte", {"password": password, "again": again}).status == 400


def test_five_wrong_passwords_lock_the_account(console: RunningConsole, engine: Engine) -> None:
    _own_password(console, engine)
    for number in range(5):
        assert console.visitor().log_in("claire", f"faux {number}").status == 401
    assert console.visitor().log_in("claire", _LONG).status == 401
    with engine.begin() as connection:
        connection.execute(text("UPDATE console_users SET locked_until = now()"))
    # One more mistake does not lock it again at once.
    assert console.visitor().log_in("claire", "faux").status == 401
    assert console.visitor().log_in("claire", _LONG).status == 200


def test_tries_at_once_are_not_more_tries(engine: Engine) -> None:
    with engine.begin() as connection:
        password = accounts.put_account(connection, "claire", "editor")
    wrong = [
        threading.Thread(target=accounts.authenticate, args=(engine, "claire", f"faux {number}"))
        for number in range(12)
    ]
    for each in wrong:
        each.start()
    for each in wrong:
        each.join()
    with engine.connect() as connection:
        failures = connection.scalar(text("SELECT failures FROM console_users"))
    assert failures == 5
    assert accounts.authenticate(engine, "claire", password) is None


def test_one_of_two_enters_with_a_password_for_one_use(engine: Engine) -> None:
    password = _account(engine)
    entered: list[object] = []
    both = [
        threading.Thread(
            target=lambda: entered.append(accounts.authenticate(engine, "claire", password))
        )
        for _ in range(2)
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sum(each is not None for each in entered) == 1


def test_a_session_that_is_ended_is_over(log_in: LogIn, engine: Engine) -> None:
    visitor = log_in("reader")
    with engine.begin() as connection:
        assert accounts.end_sessions(connection, "reader") == 1
    assert "Mot de passe" in visitor.get("/journal").words
    part = visitor.ask("GET", "/journal", headers={"HX-Request": "true"})
    assert (part.status, part.headers["hx-redirect"]) == (401, "/connexion?suite=/journal")


def test_a_session_ends_with_its_time_and_with_whoever_leaves(
    log_in: LogIn, engine: Engine
) -> None:
    visitor, other = log_in("reader"), log_in("editor")
    assert "Mot de passe" in visitor.post("/deconnexion").words
    assert "Mot de passe" in visitor.get("/journal").words
    with engine.begin() as connection:
        connection.execute(text("UPDATE console_sessions SET expires_at = now()"))
    assert "Mot de passe" in other.get("/journal").words


def test_a_role_changes_at_once(log_in: LogIn, engine: Engine) -> None:
    visitor = log_in("reader")
    with engine.begin() as connection:
        accounts.set_role(connection, "reader", "admin")
    assert "administration" in visitor.get("/journal").words


def test_the_database_holds_no_token_and_no_password(
    console: RunningConsole, engine: Engine
) -> None:
    visitor = _own_password(console, engine)
    token = visitor.cookie.partition("=")[2]
    with engine.connect() as connection:
        held = " ".join(
            str(row)
            for table in ("console_users", "console_sessions", "console_actions")
            for row in connection.execute(text(f"SELECT t::text FROM {table} t"))
        )
    assert token not in held
    assert _LONG not in held
    assert "$argon2id$" in held


def test_accounts_are_refused_that_cannot_be(engine: Engine) -> None:
    _account(engine)
    with engine.begin() as connection:
        for login, role in (("x", "reader"), ("Claire B", "reader"), ("luc", "king")):
            with pytest.raises(UserError):
                accounts.put_account(connection, login, role)
        with pytest.raises(UserError, match="--anew"):
            accounts.put_account(connection, "claire", "editor")
        with pytest.raises(UserError, match="no account"):
            accounts.end_sessions(connection, "luc")
