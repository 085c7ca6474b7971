"""A store that lies changes nothing: neither a file here nor the database nor its server."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from zstandard import ZstdCompressor

from tests.integration.commands import Sirenade
from tests.integration.writer.restore.conftest import counts
from tests.integration.writer.scene import SIREN, Scene

_Manifest = dict[str, Any]
_Change = Callable[[_Manifest, Path], None]


def _tables(manifest: _Manifest) -> dict[str, Any]:
    tables: dict[str, Any] = manifest["databases"][0]["tables"]
    return tables


def _renamed(name: str) -> _Change:
    def change(manifest: _Manifest, _folder: Path) -> None:
        tables = _tables(manifest)
        tables[name] = tables.pop("oppositions")

    return change


def _replaced(rows: str, count: int) -> _Change:
    """Put other bytes in the place of a table's, with their own digest."""

    def change(manifest: _Manifest, folder: Path) -> None:
        packed = ZstdCompressor().compress(rows.encode())
        (folder / "0" / "oppositions").write_bytes(packed)
        table = _tables(manifest)["oppositions"]
        table |= {"rows": count, "sha256": hashlib.sha256(packed).hexdigest(), "size": len(packed)}

    return change


def _lacks_a_table(manifest: _Manifest, _folder: Path) -> None:
    del _tables(manifest)["erasures"]


def _has_a_column_with_sql(manifest: _Manifest, _folder: Path) -> None:
    _tables(manifest)["oppositions"]["columns"] = ["siren\") FROM PROGRAM 'touch /x' --"]


def _counts_wrongly(manifest: _Manifest, _folder: Path) -> None:
    _tables(manifest)["etablissements"]["rows"] += 1


def _has_a_table_without_an_end(_manifest: _Manifest, folder: Path) -> None:
    """It takes no place in the store, and would fill the disk here."""
    with (folder / "0" / "etablissements").open("r+b") as file:
        file.truncate(1 << 40)


def _has_another_id(manifest: _Manifest, _folder: Path) -> None:
    manifest["id"] = "../../../etc"


def _has_a_revision_with_sql(manifest: _Manifest, _folder: Path) -> None:
    manifest["revision"] = "head"


def _has_a_sequence_of_its_own(manifest: _Manifest, _folder: Path) -> None:
    manifest["databases"][0]["sequences"]["pg_class"] = {"last_value": 1, "is_called": True}


_LIES: dict[str, _Change] = {
    "a name with ..": _renamed("../../../../outside"),
    "an absolute name": _renamed("/tmp/outside"),  # noqa: S108  nothing is made there
    "a name on two lines": _renamed("oppositions\n"),
    "a table of the system": _renamed("pg_authid"),
    "no erasures": _lacks_a_table,
    "SQL in a column": _has_a_column_with_sql,
    "a wrong count": _counts_wrongly,
    "a table without an end": _has_a_table_without_an_end,
    "a wrong id": _has_another_id,
    "a wrong revision": _has_a_revision_with_sql,
    "a sequence of the system": _has_a_sequence_of_its_own,
    "SQL in the rows": _replaced("\\.\nCOPY oppositions FROM PROGRAM 'touch outside';\n", 1),
    "SQL after the rows": _replaced(
        "732829320\t2026-01-01\tx\n\\.\nALTER ROLE postgres PASSWORD 'known';\n", 2
    ),
    "rows that are none": _replaced("ZORGLUB\n", 1),
}


@pytest.fixture
def backup(back_up: Sirenade, person: Scene, store: Path) -> Path:
    """Return the folder of a backup."""
    person.fill()
    return store / f"backup={json.loads(back_up().out)['id']}"


def _lie(backup: Path, change: _Change) -> None:
    """Change a backup as whoever holds the store can; its seal goes."""
    manifest = backup / "manifest"
    content = json.loads(manifest.read_bytes().partition(b"\n")[2])
    change(content, backup)
    manifest.write_bytes(b"-\n" + json.dumps(content).encode())


@pytest.mark.parametrize("lie", _LIES)
def test_a_lie_is_refused_without_a_key_too(
    restore: Sirenade,
    backup: Path,
    empty: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lie: str,
) -> None:
    """The restoring role is a superuser here, and could do everything."""
    monkeypatch.setenv("SIRENADE_BACKUP_KEY", "")
    outside = tmp_path / "outside"
    outside.write_text("of somebody else")
    _lie(backup, _LIES[lie])
    before = _beyond(empty)
    refused = restore("latest", "--none", "--folder", tmp_path)
    assert refused.status == 2
    assert "ZORGLUB" not in refused.err
    assert len([line for line in refused.err.splitlines() if "warning" not in line]) == 1
    assert counts(empty) == {}
    assert _beyond(empty) == before
    assert outside.read_text() == "of somebody else"
    assert not Path("outside").exists()


def _beyond(engine: Engine) -> list[Any]:
    """Return what a role may change beside its database."""
    with engine.connect() as connection:
        roles = connection.execute(text("SELECT * FROM pg_authid ORDER BY oid")).all()
        functions = connection.execute(text("SELECT count(*) FROM pg_proc")).all()
        return [*roles, *functions]


@pytest.mark.parametrize("lie", ["a wrong count", "no erasures"])
def test_a_key_shows_every_change(restore: Sirenade, backup: Path, empty: Engine, lie: str) -> None:
    manifest = backup / "manifest"
    whole = manifest.read_bytes()
    _lie(backup, _LIES[lie])
    assert "has no seal" in restore("latest", "--none").err
    manifest.write_bytes(whole.partition(b"\n")[0] + b"\n" + manifest.read_bytes()[2:])
    assert "the seal" in restore("latest", "--none").err
    manifest.write_bytes(whole)
    other = backup.with_name("backup=20990101T000000Z")
    backup.rename(other)
    assert "the seal" in restore("latest", "--none").err
    other.rename(backup)
    assert counts(empty) == {}
    assert restore("latest", "--none").status == 0


def test_a_damaged_table_restores_nothing(restore: Sirenade, backup: Path, empty: Engine) -> None:
    path = backup / "0" / "etablissements"
    path.write_bytes(path.read_bytes()[::-1])
    answer = restore("latest", "--none")
    assert answer.status == 2
    assert "is damaged" in answer.err
    assert counts(empty) == {}
    path.unlink()
    assert restore("latest", "--none").status == 2
    assert counts(empty) == {}


def test_erasures_that_nobody_here_has_made_are_refused(
    restore: Sirenade, backup: Path, empty: Engine
) -> None:
    """Whoever holds the store could erase everybody, or end oppositions."""
    forged = backup.parent / "erasures"
    forged.mkdir()
    entry = {"siren": SIREN, "recorded_at": "2026-01-01T00:00:00+00:00", "reason": "x"}
    content = b"-\nclear\n" + json.dumps(entry).encode() + b"\n"
    (forged / "one-20260101T000000-00000000").write_bytes(content)
    refused = restore("latest")
    assert refused.status == 2
    assert "has no seal" in refused.err
    assert counts(empty) == {}


def test_that_no_key_is_set_is_said(
    restore: Sirenade,
    operators: Sirenade,
    backup: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del backup
    monkeypatch.setenv("SIRENADE_BACKUP_KEY", "")
    assert "SIRENADE_BACKUP_KEY" in operators("backup").err
    assert "SIRENADE_BACKUP_KEY" in restore("latest", "--none").err
