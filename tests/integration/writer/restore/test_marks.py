"""A restored database is of no use to anybody until its erasures are applied."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from services.fetcher.__main__ import app as fetchers_app
from services.operator.__main__ import app as operators_app
from services.reviewer.__main__ import app as reviewers_app
from services.writer.__main__ import app as writers_app
from services.writer.erasure import oppositions
from shared.db.engine import temporary_engine
from shared.db.outages import is_outage
from tests.conditions import wait_until
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.writer.restore.conftest import counts, is_marked, point_at, url_of
from tests.integration.writer.scene import SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of

_ROOT = Path(__file__).resolve().parents[4]
_KILLED_BEFORE_THE_ERASURES = """
import os, sys
from services.writer.__main__ import app
from services.writer.erasure import oppositions
from shared.terminal.cli import run
oppositions.apply = lambda *_: os.kill(os.getpid(), 9)
sys.argv = ["sirenade", "restore", "latest"]
run(app, name="sirenade")
"""
_RESTORE = [sys.executable, "-m", "services.writer", "restore", "latest"]
_APPS = {
    "fetcher": fetchers_app,
    "operator": operators_app,
    "reviewer": reviewers_app,
    "writer": writers_app,
}
_SERVICE = {
    "SIRENADE_BROKER_URL": "memory://",
    "SIRENADE_INSEE_KEY": "a-key",
    "SIRENADE_METRICS_PORT": "0",
}
_REFUSED = [
    ("fetcher", ("import", "--departement", "33")),
    ("fetcher", ("delta",)),
    ("fetcher", ("certify", "--departement", "33")),
    ("fetcher", ("refresh", SIREN)),
    ("operator", ("status", "--once")),
    ("operator", ("stats",)),
    ("operator", ("reconcile",)),
    ("operator", ("statement",)),
    ("operator", ("failed", "list")),
    ("operator", ("archive",)),
    ("operator", ("backup",)),
    ("reviewer", ("avis", "budget")),
    ("reviewer", ("avis", "show", f"{SIREN}00017")),
    ("reviewer", ("reviews", "import", os.devnull)),
    ("writer", ("forget", SIREN)),
    ("writer", ("forget", "--keep")),
    ("writer", ("forget", "--export", "-")),
    ("writer", ("stock", os.devnull)),
    *((service, ("run",)) for service in _APPS),
]


@pytest.fixture
def marked(
    back_up: Sirenade,
    sirenade: Sirenade,
    person: Scene,
    store: Path,
    empty: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> Engine:
    """Return a database whose restore was killed when all rows were there."""
    del store
    person.fill()
    back_up()
    sirenade("forget", SIREN)
    point_at(empty, monkeypatch)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_BEFORE_THE_ERASURES],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert places_of(empty, *WORDS) != []
    assert is_marked(empty)
    return empty


def test_nothing_works_on_a_marked_database(
    marked: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in _SERVICE.items():
        monkeypatch.setenv(name, value)
    for service, arguments in _REFUSED:
        refused = sirenade_of(_APPS[service], monkeypatch, capsys)(*arguments)
        assert refused.status == 2, (service, arguments)
        assert "./sirenade forget --apply FILE" in refused.err, (service, arguments, refused.err)
        assert len([line for line in refused.err.splitlines() if "warning" not in line]) == 1
    assert is_marked(marked)


def test_the_erasures_end_the_mark(marked: Engine, sirenade: Sirenade, operators: Sirenade) -> None:
    assert operators("migrate").status == 0
    assert is_marked(marked)
    assert sirenade("forget", "--apply", "store").status == 0
    assert places_of(marked, *WORDS) == []
    assert not is_marked(marked)
    assert operators("stats").status == 0


def test_the_same_command_again_ends_the_mark(marked: Engine, sirenade: Sirenade) -> None:
    filled = counts(marked)
    assert sirenade("restore", "latest").status == 0
    assert not is_marked(marked)
    assert counts(marked)["etablissements"] == filled["etablissements"]
    assert places_of(marked, *WORDS) == []


def test_a_mark_stands_until_the_last_erasure_is_written(
    marked: Engine, sirenade: Sirenade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last group of units fails: what it would have ended stands."""

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(oppositions, "honour", fail)
        assert sirenade("forget", "--apply", "store").status == 130
    assert is_marked(marked)


def test_a_restore_that_is_killed_among_the_rows_leaves_nothing(
    back_up: Sirenade,
    restore: Sirenade,
    person: Scene,
    empty: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person.fill()
    monkeypatch.setenv("SIRENADE_BACKUP_ENCRYPT_COMMAND", "cat")
    back_up()
    point_at(empty, monkeypatch)
    folder = tmp_path / "folder"
    folder.mkdir()
    # The fourth table does not come.
    slow = tmp_path / "slow.sh"
    slow.write_text(
        f"echo >> {tmp_path}/begun; test $(wc -l < {tmp_path}/begun) -gt 3 && exec sleep 600; cat"
    )
    monkeypatch.setenv("SIRENADE_BACKUP_DECRYPT_COMMAND", f"sh {slow}")
    process = subprocess.Popen(
        [*_RESTORE, "--none", "--folder", folder],
        cwd=_ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    begun = tmp_path / "begun"
    wait_until(lambda: begun.exists() and len(begun.read_text()) > 3, seconds=60)
    assert counts(empty) == {}
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert counts(empty) == {}
    assert list(folder.iterdir()) == [], "no row is left on the disk"
    monkeypatch.setenv("SIRENADE_BACKUP_DECRYPT_COMMAND", "cat")

    def is_restored() -> bool:
        return restore("latest", "--none").status == 0

    # The server notices a moment later that its client is gone.
    wait_until(is_restored, seconds=30)
    assert counts(empty)["etablissements"] > 0


def test_a_running_service_gets_no_new_connection(marked: Engine) -> None:
    """The database was restored under it: to the service this is an outage."""
    with temporary_engine(url_of(marked), application_name="sirenade-writer") as engine:
        with pytest.raises(OperationalError) as raised, engine.connect():
            pass
        assert is_outage(raised.value)
        with marked.begin() as connection:
            connection.execute(text("DELETE FROM restore_marks"))
        with engine.connect():
            pass


def test_a_restore_asks_for_the_erasures(
    back_up: Sirenade,
    restore: Sirenade,
    empty: Engine,
    tmp_path: Path,
) -> None:
    back_up()
    asked = restore("latest")
    assert asked.status == 2
    assert "--erasures FILE" in asked.err
    assert "--none" in asked.err
    spoilt = tmp_path / "spoilt"
    spoilt.write_text("nothing\n")
    assert restore("latest", "--erasures", spoilt).status == 2
    assert restore("latest", "--none", "--erasures", spoilt).status == 2
    assert counts(empty) == {}
    spoilt.write_text("")
    assert restore("latest", "--erasures", spoilt).status == 0
    assert not is_marked(empty)
