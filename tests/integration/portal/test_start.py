"""A portal that says it is ready has read what it needs: no visitor waits for a table."""

import http.client
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.integration.portal.pages.test_listings import index
from tests.integration.writer.desk import Desk, ShardUrls
from tests.integration.writer.records import Records
from tests.portals import Server, read, started_portal

# It notes the files of the project that a process opens, but for code, one a line.
_WATCH = """
import os, sys

_file = os.open({file!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path = arguments[0]
        if ("/services/" in path or "/shared/" in path) and not path.endswith((".py", ".pyc")):
            os.write(_file, (path + chr(10)).encode())

sys.addaudithook(note)
"""
_PATHS = (
    "/",
    "/recherche?q=boulangerie+dupond+bordeaux",
    "/communes/33063",
    "/communes/33063/10.71C",
    "/pages/none-11111111100011",
    "/signaler",
    "/sitemap.xml",
    "/changements.atom",
    "/api/v1/recherche?q=garagistes+paris&facettes=etat,departement",
    "/api/v1/recherche?lat=44.84&long=-0.58&radius=5",
    "/api/v1/suggestions?q=bou",
    "/api/v1/changements",
    "/compat/search?q=boulangerie",
    "/openapi.json",
    "/docs",
)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "opened"
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(_WATCH.format(file=str(file)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "watch"))
    return file


def _get(server: Server, path: str) -> int:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        client.request("GET", path)
        return read(client).status
    finally:
        client.close()


def _slugs(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT slug FROM pro_localisations")))


def test_no_file_is_read_for_a_visitor(
    desk: Desk, records: Records, shard_urls: ShardUrls, tmp_path: Path, opened: Path
) -> None:
    names = ("BOULANGERIE DUPONT", "GARAGE DES FLEURS")
    desk.import_(
        *(
            records.record(n, unite={"denominationUniteLegale": name})
            for n, name in enumerate(names, start=1)
        )
    )
    index(desk)
    with started_portal(tmp_path, *shard_urls) as server:
        slugs = [slug for engine in desk.shards for slug in _slugs(engine)]
        at_start = opened.read_text().splitlines()
        assert at_start, "the watch sees nothing"
        statuses = {path: _get(server, path) for path in (*_PATHS, *(f"/pages/{s}" for s in slugs))}
        assert not [path for path, status in statuses.items() if status >= 500]
        assert statuses[f"/pages/{slugs[0]}"] == 200
        later = opened.read_text().splitlines()[len(at_start) :]
    assert not later, "\n".join(sorted(set(later)))
