"""Nothing is shown to strangers, and nothing is done for other sites, stale forms, wrong roles."""

import pytest
from sqlalchemy import Engine, text

from services.operator.console import accounts, doors
from services.operator.console.screens import SCREENS
from tests.consoles import RunningConsole, running_console
from tests.integration.operator.console.conftest import LogIn
from tests.role_logins import RoleLogins

_ROUTES = [route for screen in (*SCREENS, doors.ACCOUNT) for route in screen.routes()]


def _path(path: str) -> str:
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def _account(engine: Engine, login: str = "claire", role: str = "admin") -> str:
    with engine.begin() as connection:
        return accounts.put_account(connection, login, role, anew=True)


@pytest.mark.parametrize("route", _ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_stranger_is_sent_to_the_login(console: RunningConsole, route: object) -> None:
    method, path = route.method, _path(route.path)  # type: ignore[attr-defined]
    answer = console.visitor().ask(method, path, headers={}, body="" if method == "POST" else None)
    assert answer.status == 303
    assert answer.headers["location"] == f"/connexion?suite={path}"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "route",
    [route for route in _ROUTES if route.method == "POST"],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_a_form_needs_the_token_and_our_own_site(log_in: LogIn, route: object) -> None:
    visitor, path = log_in("admin"), _path(route.path)  # type: ignore[attr-defined]
    assert "a vieilli" in visitor.send(path).words
    other = log_in("operator")
    assert visitor.send(path, {"csrf": other.csrf}).status == 403
    for site in ("cross-site", "same-site", "none"):
        answer = visitor.post(path, Sec_Fetch_Site=site)
        assert (answer.status, "depuis la console" in answer.words) == (403, True)


def test_an_old_browser_says_its_origin(console: RunningConsole, engine: Engine) -> None:
    password = _account(engine)
    visitor = console.visitor()
    sent = f"login=claire&password={password}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for origin, status in (
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
        (console.address, 303),
    ):
        import http.client  # noqa: PLC0415  no header of the visitor is wanted

        client = http.client.HTTPConnection("127.0.0.1", console.port)
        client.request("POST", "/connexion", sent, form | ({"Origin": origin} if origin else {}))
        assert client.getresponse().status == status, origin
        client.close()
    del visitor


def test_a_name_that_leads_to_our_address_is_refused(console: RunningConsole) -> None:
    answer = console.visitor().get("/connexion", Host="evil.example")
    assert answer.status == 421
    assert console.visitor().get("/connexion", Host=f"localhost:{console.port}").status == 200


def test_a_role_does_no_more_than_its_rights(log_in: LogIn) -> None:
    for role in ("reader", "editor", "operator", "admin"):
        visitor = log_in(role)
        for route in _ROUTES:
            may = route.right in visitor_rights(role)
            path = _path(route.path)
            answer = visitor.get(path) if route.method == "GET" else visitor.post(path)
            assert (answer.status == 403) is not may, (role, route)


def visitor_rights(role: str) -> frozenset[str]:
    from services.operator.console.rights import RIGHTS  # noqa: PLC0415  named like the fixture

    return RIGHTS[role]


@pytest.mark.parametrize(
    "sought",
    [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x=1//",
        "/ /evil.example",
        "",
    ],
)
def test_the_login_leads_to_no_other_site(
    console: RunningConsole, engine: Engine, sought: str
) -> None:
    password = _account(engine)
    visitor = console.visitor()
    visitor.log_in("claire", password)
    visitor.post("/compte", {"password": "un mot de passe long", "again": "un mot de passe long"})
    fields = {"login": "claire", "password": "un mot de passe long", "suite": sought}
    answer = console.visitor().send("/connexion", fields)
    assert answer.status == 303
    assert answer.headers["location"] in {"/", "/%0d%0aSet-Cookie:x=1//"}


def test_a_form_that_is_too_long_is_refused(log_in: LogIn) -> None:
    visitor = log_in("admin")
    assert visitor.post("/compte", {"password": "x" * 300_000}).status == 413
    assert visitor.post("/compte", [("a", "")] * 6_000).status == 413


def test_a_page_that_there_is_not_says_so(console: RunningConsole, log_in: LogIn) -> None:
    assert "n’existe pas" in console.visitor().get("/nulle-part").words
    assert log_in("reader").ask("PUT", "/journal", headers={}).status == 405


def test_a_fault_is_told_without_its_words(log_in: LogIn, engine: Engine) -> None:
    visitor = log_in("reader")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE console_actions RENAME TO away"))
    answer = visitor.get("/journal")
    assert (answer.status, "console_actions" in answer.text) == (500, False)


def test_the_cookie_is_for_our_host_alone_where_it_is_encrypted(
    role_logins: RoleLogins, engine: Engine
) -> None:
    password = _account(engine)
    settings = {"console_base_url": "https://console.example"}
    with running_console(role_logins.url("console"), **settings) as console:
        fields = {"login": "claire", "password": password}
        answer = console.visitor().send("/connexion", fields, Host="console.example")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert word in cookie
