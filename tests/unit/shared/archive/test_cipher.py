from pathlib import Path

import pytest

from shared.archive.cipher import Cipher, CipherFailed
from shared.errors import UserError

_TURNED = "tr 'a-y' 'b-z'"
_BACK = "tr 'b-z' 'a-y'"
_LARGE = b"abc\n" * 1_000_000


def _read(cipher: Cipher, path: Path) -> bytes:
    with cipher.open_to_read(path, encrypted=True) as clear:
        return clear.read()


def _write(cipher: Cipher, path: Path, content: bytes) -> None:
    with cipher.open_to_write(path) as out:
        out.write(content)


def test_clear_data_goes_through_the_commands_only(tmp_path: Path) -> None:
    cipher, path = Cipher(_TURNED, _BACK), tmp_path / "file"
    _write(cipher, path, _LARGE)
    assert path.read_bytes() == _LARGE.translate(bytes.maketrans(b"abc", b"bcd"))
    assert _read(cipher, path) == _LARGE
    assert list(tmp_path.iterdir()) == [path]


def test_without_commands_the_file_is_clear(tmp_path: Path) -> None:
    cipher, path = Cipher(), tmp_path / "file"
    _write(cipher, path, b"abc")
    with cipher.open_to_read(path, encrypted=False) as clear:
        assert clear.read() == b"abc"
    with pytest.raises(UserError, match="DECRYPT"), cipher.open_to_read(path, encrypted=True):
        pass


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sh -c 'echo no such key >&2; exit 3'", "sh failed: no such key"),
        ("sh -c 'cat >/dev/null; exit 3'", "sh failed: status 3"),
        ("true", "true failed: status 0"),
        ("no-such-tool --password secret", "cannot run no-such-tool"),
        ("no closing quote '", "cannot run no"),
    ],
)
def test_a_command_that_fails_is_named_without_its_arguments(
    tmp_path: Path, command: str, said: str
) -> None:
    cipher, path = Cipher(command, command), tmp_path / "file"
    with pytest.raises(CipherFailed, match=said) as raised:
        _write(cipher, path, _LARGE)
    assert "secret" not in str(raised.value)
    if command == "true":
        return
    path.write_bytes(b"")
    with pytest.raises(CipherFailed, match=said):
        _read(cipher, path)


def test_a_reader_that_stops_early_waits_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(_LARGE)
    with pytest.raises(ZeroDivisionError), Cipher("", "cat").open_to_read(path, encrypted=True):
        _ = 1 / 0
