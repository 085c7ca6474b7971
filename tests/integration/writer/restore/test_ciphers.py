"""Backups and erasures lie encrypted in the store, by a tool of the operator's choice."""

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.integration.commands import Sirenade
from tests.integration.writer.restore.conftest import counts, is_marked
from tests.integration.writer.scene import SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of


@pytest.fixture
def openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set commands that encrypt with a certificate, and decrypt with its key."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=backups"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    cms = "openssl cms -binary -stream"
    monkeypatch.setenv(
        "SIRENADE_BACKUP_ENCRYPT_COMMAND", f"{cms} -encrypt -aes256 -outform DER {certificate}"
    )
    monkeypatch.setenv(
        "SIRENADE_BACKUP_DECRYPT_COMMAND", f"{cms} -decrypt -inform DER -inkey {key}"
    )


def test_an_encrypted_backup_comes_back_and_so_do_the_erasures(
    back_up: Sirenade,
    restore: Sirenade,
    sirenade: Sirenade,
    person: Scene,
    store: Path,
    openssl: None,
    empty: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del openssl
    person.fill()
    back_up()
    assert sirenade("forget", SIREN).status == 0
    stored = [path.read_bytes() for path in store.rglob("*") if path.is_file()]
    assert len(stored) > 10
    zstd = b"\x28\xb5\x2f\xfd"
    assert not any(zstd in each or SIREN.encode() in each for each in stored)
    wrong = f"openssl cms -decrypt -inform DER -inkey {tmp_path}/none.pem"
    with monkeypatch.context() as patched:
        patched.setenv("SIRENADE_BACKUP_DECRYPT_COMMAND", wrong)
        failed = restore("latest")
        assert failed.status == 2
        assert "openssl failed" in failed.err
        patched.setenv("SIRENADE_BACKUP_DECRYPT_COMMAND", "")
        assert "SIRENADE_BACKUP_DECRYPT_COMMAND" in restore("latest").err
    assert counts(empty) == {}
    answer = restore("latest")
    assert answer.status == 0, answer.err
    assert places_of(empty, *WORDS) == []
    assert not is_marked(empty)


def test_a_tool_that_fails_makes_no_backup(
    operators: Sirenade, sirenade: Sirenade, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del sirenade
    for command, said in (
        ("sh -c 'echo no key >&2; exit 1'", "sh failed: no key"),
        ("no-such-tool", "cannot run no-such-tool"),
    ):
        monkeypatch.setenv("SIRENADE_BACKUP_ENCRYPT_COMMAND", command)
        answer = operators("backup")
        assert answer.status == 2
        assert said in answer.err
    assert not list(store.rglob("manifest"))
