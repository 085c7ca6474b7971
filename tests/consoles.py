"""A console in a thread of the test, logged in to PostgreSQL as its own role, and its visitors."""

import http.client
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import urlencode

from services.operator.console.app import ConsoleApp
from services.operator.console.databases import open_databases, open_lookout
from services.operator.console.main import config_of
from services.operator.console.screens import SCREENS
from services.operator.console.settings import ConsoleSettings
from shared.clock import Clock
from shared.web.server import GracefulServer, listen
from tests.conditions import wait_until

_PATIENCE_SECONDS = 30
Fields = Mapping[str, str] | Sequence[tuple[str, str]]


class ConsoleAnswer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def words(self) -> str:
        """The text that people read, without markup and with simple spaces."""
        reader = _Words()
        reader.feed(self.text)
        return " ".join(" ".join(reader.found).split())


class Visitor:
    """A browser without scripts: it keeps its cookie, follows redirects, sends forms' tokens."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookie = ""
        self.csrf = ""

    def get(self, path: str, **headers: str) -> ConsoleAnswer:
        answer = self.ask("GET", path, headers=headers)
        if answer.status == http.HTTPStatus.SEE_OTHER:
            return self.get(answer.headers["location"])
        _, _, rest = answer.text.partition('name="csrf" value="')
        self.csrf = rest.partition('"')[0] or self.csrf
        return answer

    def post(self, path: str, fields: Fields = (), **headers: str) -> ConsoleAnswer:
        """Send a form with the token of the last page; return the page that it leads to."""
        pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
        answer = self.send(path, [("csrf", self.csrf), *pairs], **headers)
        if answer.status == http.HTTPStatus.SEE_OTHER:
            return self.get(answer.headers["location"])
        return answer

    def send(self, path: str, fields: Fields = (), **headers: str) -> ConsoleAnswer:
        """Send these fields and headers alone, from a page of the console."""
        return self.ask("POST", path, headers=headers, body=urlencode(list(_pairs(fields))))

    def log_in(self, login: str, password: str, *, sought: str = "/journal") -> ConsoleAnswer:
        fields = {"login": login, "password": password, "suite": sought}
        answer = self.send("/connexion", fields)
        if answer.status == http.HTTPStatus.SEE_OTHER:
            return self.get(answer.headers["location"])
        return answer

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str], body: str | None = None
    ) -> ConsoleAnswer:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_SECONDS)
        sent = {"Sec-Fetch-Site": "same-origin"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        if self.cookie:
            sent["Cookie"] = self.cookie
        try:
            client.request(method, path, body=body, headers=sent)
            answer = client.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            if cookie := found.get("set-cookie"):
                self.cookie = cookie.partition(";")[0]
            return ConsoleAnswer(answer.status, found, answer.read())
        finally:
            client.close()


class RunningConsole:
    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def visitor(self) -> Visitor:
        return Visitor(self.port)


@contextmanager
def running_console(*urls: str, **settings: Any) -> Iterator[RunningConsole]:
    """Serve these databases, the first of which is the control database as well."""
    listening = listen("127.0.0.1", 0, name="console")
    port = listening.getsockname()[1]
    shards = {"shard_database_urls": ",".join(urls)} if len(urls) > 1 else {}
    chosen = ConsoleSettings.model_validate(
        {"database_url": urls[0], "console_port": port, **shards, **settings}
    )
    app = ConsoleApp(chosen, open_databases(chosen), SCREENS, open_lookout(chosen, Clock()))
    server = GracefulServer(config_of(chosen, app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        wait_until(lambda: server.started, seconds=_PATIENCE_SECONDS)
        yield RunningConsole(port)
    finally:
        server.should_exit = True
        thread.join(timeout=_PATIENCE_SECONDS)
        listening.close()


def _pairs(fields: Fields) -> Sequence[tuple[str, str]]:
    return list(fields.items()) if isinstance(fields, Mapping) else fields


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data.replace("\u202f", " ").replace("\u00a0", " "))
