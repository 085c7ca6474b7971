"""Backups in the store: what is kept, what is deleted, what is said."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.archive.storage import open_storage
from tests.integration.commands import Sirenade
from tests.integration.operator import stores


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "store").mkdir()
    url = f"file://{tmp_path}/store"
    monkeypatch.setenv("SIRENADE_ARCHIVE_URL", url)
    return url


@pytest.mark.slow
def test_a_backup_goes_to_s3(sirenade: Sirenade, monkeypatch: pytest.MonkeyPatch) -> None:
    with stores.s3() as (url, credentials):
        monkeypatch.setenv("SIRENADE_ARCHIVE_URL", url)
        monkeypatch.setenv("SIRENADE_ARCHIVE_CREDENTIALS", credentials)
        assert sirenade("backup").status == 0
        (listed,) = json.loads(sirenade("backup", "--list", "--json").out)
        keys = open_storage(url, credentials).keys(f"backup={listed['id']}/0")
        assert len(keys) > 10


def test_backups_older_than_they_may_be_are_deleted_cut_short_ones_too(
    sirenade: Sirenade, store: str
) -> None:
    storage = open_storage(store)
    now = datetime.now(UTC)
    old, young = (f"{now - timedelta(days=days):%Y%m%dT%H%M%SZ}" for days in (31, 29))
    for backup_id in (old, young, "of-somebody-else"):
        storage.put(f"backup={backup_id}/0/etablissements", b"half")
    assert json.loads(sirenade("backup", "--json").out)["deleted"] == [old]
    kept = {key.split("/")[0] for key in storage.keys("")}
    assert f"backup={old}" not in kept
    assert {f"backup={young}", "backup=of-somebody-else"} < kept
    assert len(json.loads(sirenade("backup", "--list", "--json").out)) == 1


def test_uploads_that_a_kill_cut_short_are_deleted_a_day_later(
    sirenade: Sirenade, store: str
) -> None:
    folder = Path(urlsplit(store).path)
    half, at_work = folder / "backup=x" / "0" / "avis#1", folder / "erasures" / "all-x#2"
    for path in (half, at_work, folder / "of a person#1x"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    for path in (half, folder / "of a person#1x"):
        os.utime(path, (0, 0))
    assert sirenade("backup").status == 0
    assert not half.exists()
    assert at_work.exists()
    assert (folder / "of a person#1x").exists()


def test_backups_of_release_1_0_0_are_listed_apart(sirenade: Sirenade, store: str) -> None:
    open_storage(store).put("backup=20260101T000000Z/manifest.json", b"{}")
    sirenade("backup", "--keep-days", "9999")
    listed = sirenade("backup", "--list", "--json")
    assert len(json.loads(listed.out)) == 1
    assert "Sirenade 1.0.0 made, and can restore: 20260101T000000Z" in listed.err


def test_what_is_lacking_is_said_in_one_line(
    sirenade: Sirenade, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del store
    said = sirenade("backup").err
    assert "no SIRENADE_BACKUP_KEY is set" in said
    assert "not encrypted" in said
    monkeypatch.delenv("SIRENADE_ARCHIVE_URL")
    assert "set SIRENADE_ARCHIVE_URL" in sirenade("backup").err
    monkeypatch.setenv("SIRENADE_BACKUP_KEY", "short")
    assert "is too short" in sirenade("backup").err
