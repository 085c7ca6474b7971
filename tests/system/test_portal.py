"""The portal as its command starts it: two processes behind one port, until SIGTERM."""

import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.writer.erasure.oppositions import forget
from tests.conditions import wait_until
from tests.integration.portal.published import publish
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.portals import PortalAnswer
from tests.readers import portal_address
from tests.system.conftest import ROOT

_SIRET = "00000001800001"
_PATH = f"/pages/zorgluberie-bordeaux-{_SIRET}"
_READERS = 6


class _KeepStatus(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _get(address: str, path: str) -> PortalAnswer:
    opener = urllib.request.build_opener(_KeepStatus())
    try:
        with opener.open(address + path, timeout=20) as answer:
            return PortalAnswer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return PortalAnswer(error.code, dict(error.headers), error.read())


@pytest.fixture
def portal(database_url: str, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    log = tmp_path / "portal.log"
    environment = {
        **os.environ,
        "SIRENADE_DATABASE_URL": database_url,
        "SIRENADE_PORTAL_PORT": "0",
        "SIRENADE_PORTAL_WORKERS": "2",
        "SIRENADE_METRICS_PORT": "0",
        "SIRENADE_PORTAL_ACCESS_LOG_DIRECTORY": str(tmp_path),
    }
    command = [sys.executable, "-m", "services.portal", "run"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: portal_address(log) is not None)
        address = portal_address(log) or ""
        wait_until(lambda: _answers(address))
        yield process, address
    finally:
        process.terminate()
        process.wait(timeout=40)


def _answers(address: str) -> bool:
    try:
        return _get(address, "/readyz").status == 200
    except OSError:
        return False


def test_two_processes_serve_and_no_late_answer_has_an_erased_name(
    portal: tuple[subprocess.Popen[bytes], str], engine: Engine, tmp_path: Path
) -> None:
    process, address = portal
    desk = Desk(engine)
    desk.import_(Records().record(1, siren=_SIRET[:9], enseigne="ZORGLUBERIE"))
    publish(desk)
    committed, stopping = threading.Event(), threading.Event()
    shown: list[bool] = []
    late: list[bool] = []
    stale: list[str] = []

    def read() -> None:
        while not stopping.is_set():
            is_late = committed.is_set()
            says_it = b"zorgluberie" in _get(address, _PATH).body.lower()
            (late if is_late else shown).append(says_it)
            if is_late and says_it:
                stale.append(address)

    readers = [threading.Thread(target=read) for _ in range(_READERS)]
    for reader in readers:
        reader.start()
    wait_until(lambda: shown.count(True) > 5 * _READERS)
    forget(engine, _SIRET[:9], reason="test", force=True)
    committed.set()
    wait_until(lambda: len(late) > 10 * _READERS)
    stopping.set()
    for reader in readers:
        reader.join()
    assert stale == []
    assert _get(address, _PATH).status == 410
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=40) == 0
    [accesses] = tmp_path.glob("access-*.jsonl")
    assert "zorgluberie" not in accesses.read_text()
    assert '"route":"page"' in accesses.read_text()
