"""Keys: made, used up to their limit, revoked at once; and the limit of requests without one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from services.portal.__main__ import app
from services.portal.api.access import keys as api_keys
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.portal.api.directory import Reader, reading

_PATH = "/api/v1/recherche"


@pytest.fixture
def sirenade(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sirenade:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    return sirenade_of(app, monkeypatch, capsys)


@pytest.fixture
def narrow(database_url: str) -> Iterator[Reader]:
    """A server that lets six requests a minute in without a key."""
    with reading(database_url, per_minute=6) as reader:
        yield reader


def _with(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _add(engine: Engine, name: str, per_minute: int) -> str:
    with engine.begin() as connection:
        return api_keys.add(connection, name, per_minute).key


def test_an_export_needs_a_key(reader: Reader) -> None:
    answer = reader.get("/api/v1/export.csv")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problemes/cle-inconnue")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("sent", ["Bearer nothing", "Bearer", "Basic eDp5", "Bearer \xe9", ""])
def test_a_key_that_is_none_is_refused(reader: Reader, sent: str) -> None:
    assert reader.get(_PATH, headers={"Authorization": sent}).status_code == 401


def test_a_key_is_revoked_at_once(reader: Reader, engine: Engine) -> None:
    key = _add(engine, "mairie", 600)
    assert reader.get(_PATH, headers=_with(key)).status_code == 200
    with engine.begin() as connection:
        api_keys.revoke(connection, "mairie")
    assert reader.get(_PATH, headers=_with(key)).status_code == 401


def test_a_limit_is_kept_over_all_processes(
    database_url: str, reader: Reader, engine: Engine
) -> None:
    key = _add(engine, "mairie", 60)
    with reading(database_url) as other, ThreadPoolExecutor(4) as threads:
        asked = [
            threads.submit(Reader(each.base_url).get, _PATH, headers=_with(key))
            for each in (reader, other) * 20
        ]
        answers = [each.result() for each in asked]
    granted = [each for each in answers if each.status_code == 200]
    refused = [each for each in answers if each.status_code == 429]
    assert len(granted) + len(refused) == 40
    # Ten seconds of requests at once, and one for each second that this has taken.
    assert 10 <= len(granted) <= 25
    assert all(int(each.headers["Retry-After"]) >= 1 for each in refused)


def test_requests_without_a_key_have_the_limit_of_their_network(
    narrow: Reader, engine: Engine
) -> None:
    statuses = [narrow.get(_PATH).status_code for _ in range(4)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    key = _add(engine, "mairie", 600)
    assert narrow.get(_PATH, headers=_with(key)).status_code == 200
    assert narrow.get(_PATH, headers=_with("guess")).status_code == 429


def test_commands_make_list_and_revoke_keys(sirenade: Sirenade, reader: Reader) -> None:
    made = sirenade("portal", "keys", "add", "Mairie", "--per-minute", "30")
    assert made.status == 0, made.err
    key = made.out.splitlines()[0]
    assert reader.get(_PATH, headers=_with(key)).status_code == 200
    listed = sirenade("portal", "keys", "list")
    assert "Mairie: 30 a minute, last used" in listed.out
    assert key not in listed.out
    assert sirenade("portal", "keys", "add", "Mairie").status == 2
    assert sirenade("portal", "keys", "revoke", "Mairie").status == 0
    assert sirenade("portal", "keys", "revoke", "Mairie").status == 2
