"""The store beside the backups knows each opposition at once, and the list of each day."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.integration.commands import Sirenade
from tests.integration.writer.restore.conftest import counts, loaded
from tests.integration.writer.scene import BYSTANDER, SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of

_ROOT = Path(__file__).resolve().parents[4]
_KILLED = """
import os, sys
from services.writer.__main__ import app
from services.writer.commands import forget
from shared.terminal.cli import run
forget.keep_act = lambda *_: os.kill(os.getpid(), 9)
sys.argv = ["sirenade", "forget", sys.argv[1]]
run(app, name="sirenade")
"""


def test_each_act_is_kept_and_the_whole_list_takes_the_place_of_old_ones(
    sirenade: Sirenade, person: Scene, store: Path
) -> None:
    person.fill()
    sirenade("forget", SIREN)
    sirenade("forget", "--withdraw", SIREN)
    kept = sorted((store / "erasures").iterdir())
    assert [path.name.partition("-")[0] for path in kept] == ["one", "one"]
    assert not any(SIREN in path.name for path in kept)
    old = store / "erasures" / "one-20200101T000000-00000000"
    kept[0].rename(old)
    assert loaded(sirenade("forget", "--keep", "--json"))["lines"] >= 2
    names = [path.name for path in (store / "erasures").iterdir()]
    assert old.name not in names
    assert {name.partition("-")[0] for name in names} == {"all", "one"}


def test_a_restore_knows_acts_and_list(
    back_up: Sirenade,
    restore: Sirenade,
    sirenade: Sirenade,
    person: Scene,
    empty: Engine,
) -> None:
    person.fill()
    back_up()
    person.turn(person.masked(1), person.masked(2))
    sirenade("forget", "--keep")
    sirenade("forget", BYSTANDER)
    assert loaded(restore("latest", "--json"))["units"] >= 2
    assert places_of(empty, *WORDS) == []
    assert counts(empty)["oppositions"] == 1


def test_an_opposition_that_was_withdrawn_does_not_come_back(
    back_up: Sirenade,
    restore: Sirenade,
    sirenade: Sirenade,
    empty: Engine,
) -> None:
    sirenade("forget", SIREN, "--force")
    back_up()
    sirenade("forget", "--withdraw", SIREN)
    assert restore("latest").status == 0
    assert counts(empty)["oppositions"] == 0


def test_a_store_that_is_away_is_no_reason_to_keep_a_person_but_is_said(
    sirenade: Sirenade, person: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.fill()
    monkeypatch.setenv("SIRENADE_ERASURES_URL", f"file://{tmp_path}/not-mounted")
    answer = sirenade("forget", SIREN)
    assert answer.status == 2
    assert "the store does not keep it" in answer.err
    assert "opposition recorded" in answer.out
    assert places_of(person.desk.engine, *WORDS) == []
    (tmp_path / "not-mounted").mkdir()
    assert sirenade("forget", SIREN).status == 0
    assert len(list((tmp_path / "not-mounted" / "erasures").iterdir())) == 1


def test_a_command_killed_before_the_store_knows_is_given_again(
    back_up: Sirenade,
    restore: Sirenade,
    sirenade: Sirenade,
    person: Scene,
    store: Path,
    empty: Engine,
) -> None:
    """The person is erased here; until then a restore would bring them back."""
    person.fill()
    back_up()
    killed = subprocess.run([sys.executable, "-c", _KILLED, SIREN], cwd=_ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert places_of(person.desk.engine, *WORDS) == []
    assert not (store / "erasures").exists()
    again = sirenade("forget", SIREN)
    assert again.status == 0
    assert "the opposition stood already" in again.out
    assert len(list((store / "erasures").iterdir())) == 1
    assert restore("latest").status == 0
    assert places_of(empty, *WORDS) == []
    assert counts(empty)["oppositions"] == 1


def test_without_a_store_nothing_is_asked(sirenade: Sirenade) -> None:
    assert sirenade("forget", SIREN, "--force").status == 0
    assert "SIRENADE_ARCHIVE_URL" in sirenade("forget", "--keep").err
    assert "SIRENADE_ARCHIVE_URL" in sirenade("forget", "--apply", "store").err
