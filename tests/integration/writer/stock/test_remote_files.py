"""A stock file behind a URL is streamed, continued after a cut, or refused in one line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.writer.stock import command
from services.writer.stock.files import remote_files
from shared.errors import UserError
from shared.http.egress import Egress, Redirects
from tests.integration.writer.desk import Desk
from tests.integration.writer.stock.conftest import ESTABLISHMENTS, Stock
from tests.integration.writer.stock.stoppable_load import STEPS
from tests.integration.writer.stock.web import Web, serving
from tests.raw_server import raw_server, response, saying

_FOLLOWING = Egress(redirects=Redirects(()))


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_files, "_PAUSE_SECONDS", 0.0)
    for module, name, value in STEPS:
        monkeypatch.setattr(module, name, value)


@pytest.fixture(
    params=[
        "csv",
        pytest.param("zip", marks=pytest.mark.slow),
        pytest.param("parquet", marks=pytest.mark.slow),
    ]
)
def web(request: pytest.FixtureRequest, stock_files: dict[str, list[str]]) -> Iterator[Web]:
    with serving(Path(stock_files[request.param][0]).read_bytes()) as web:
        yield web


@pytest.mark.usefixtures("left_behind")
def test_a_url_is_loaded_through_every_cut(web: Web, stock: Stock, desk: Desk) -> None:
    web.cuts = [len(web.data) // 3, len(web.data) // 3, 7]
    web.busy = 2
    (load,) = stock.load(f"{web.url}/old?secret=1", pages=False, egress=_FOLLOWING)
    assert load.rows == ESTABLISHMENTS
    assert desk.number("etablissements") == ESTABLISHMENTS
    assert load.file_name == f"{web.url}/old"
    assert load.file_date.isoformat() == "2026-08-01"
    assert not web.cuts


def test_what_cannot_be_read_is_said_in_one_line(stock_files: dict[str, list[str]]) -> None:
    with serving(Path(stock_files["zip"][0]).read_bytes()) as web:
        with pytest.raises(UserError, match="the server answers 404"):
            command.plan([f"{web.url}/none"], Egress())
        web.ranges = False
        with pytest.raises(UserError, match="serves no ranges of a file"):
            command.plan([web.url], Egress())
    with pytest.raises(UserError, match="no server can be reached"):
        command.plan([web.url], Egress())


def test_a_csv_needs_no_ranges(stock_files: dict[str, list[str]], stock: Stock, desk: Desk) -> None:
    with serving(Path(stock_files["csv"][0]).read_bytes()) as web:
        web.ranges = False
        stock.load(web.url, pages=False)
        assert desk.number("etablissements") == ESTABLISHMENTS


def test_a_file_that_changes_while_it_is_read_is_refused(
    stock_files: dict[str, list[str]], stock: Stock, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Path(stock_files["csv"][0]).read_bytes()) as web:
        web.cuts = [len(web.data) // 2]
        get = remote_files.RemoteFile._get

        def get_a_newer_one(file: Any, position: int) -> Any:
            web.version = f'"{len(web.requests) + 2}"'
            return get(file, position)

        monkeypatch.setattr(remote_files.RemoteFile, "_get", get_a_newer_one)
        with pytest.raises(UserError, match="changed while it was read"):
            stock.load(web.url, pages=False)
        monkeypatch.setattr(remote_files.RemoteFile, "_get", get)
        assert desk.number("etablissements") == 0
        assert stock.load(web.url, pages=False)[0].rows == ESTABLISHMENTS
    statuses = desk.execute("SELECT status FROM stock_loads ORDER BY id")
    assert [row["status"] for row in statuses] == ["abandoned", "stored"]


@pytest.mark.slow
def test_a_transfer_that_never_recovers_is_gone_on_with_by_the_next_command(
    stock_files: dict[str, list[str]], stock: Stock, desk: Desk
) -> None:
    with serving(Path(stock_files["csv"][0]).read_bytes()) as web:
        size = len(web.data)
        web.cuts = [size * 3 // 4, 0, 0, 0, 0, 0, 0]
        with pytest.raises(UserError, match="the transfer broke off at byte"):
            stock.load(web.url, pages=False)
        chunks = desk.number("stock_chunks")
        assert chunks > 0
        web.cuts = []
        (load,) = stock.load(web.url, pages=False)
        assert (load.id, load.rows) == (1, ESTABLISHMENTS)


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://127.0.0.1:port/f", "http://", "http://a b/"]
)
def test_an_address_that_cannot_be_read_is_said_in_one_line(url: str) -> None:
    with pytest.raises(UserError, match=r"can be read|cannot be sent|no server") as caught:
        command.plan([url], Egress())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://169.254.169.254/latest", "which is not allowed"),
        ("http://localhost:1/", "which has no public address"),
        ("http://user@data.gouv.fr/", "no address that can be read"),
        ("file:///etc/passwd", "no address that can be read"),
        ("http://[::1", "no address that can be read"),
    ],
)
def test_a_redirect_leads_to_no_private_host(location: str, said: str) -> None:
    egress = Egress(redirects=Redirects(("data.gouv.fr", "localhost")))
    answer = response("302 Found", b"", f"Location: {location}")
    with (
        raw_server(saying(answer)) as server,
        pytest.raises(UserError, match=said) as caught,
    ):
        command.plan([server.url], egress)
    assert "\n" not in str(caught.value)
    assert len(server.requests) == 1
