from collections.abc import Iterator
from io import FileIO

import pytest

from shared.archive.cipher import Cipher, CipherFailed
from shared.errors import UserError
from shared.private_files import nameless_file

_TURNED = "tr 'a-y' 'b-z'"
_BACK = "tr 'b-z' 'a-y'"
_LARGE = b"abc\n" * 1_000_000


@pytest.fixture
def file() -> Iterator[FileIO]:
    with nameless_file() as file:
        yield file


def _read(cipher: Cipher, file: FileIO, *, encrypted: bool = True) -> bytes:
    with cipher.open_to_read(file, encrypted=encrypted) as clear:
        return clear.read()


def _write(cipher: Cipher, file: FileIO, content: bytes) -> None:
    with cipher.open_to_write(file) as out:
        out.write(content)


@pytest.mark.parametrize("content", [b"abc\n", _LARGE], ids=["short", "large"])
def test_clear_data_goes_through_the_commands_only(file: FileIO, content: bytes) -> None:
    cipher = Cipher(_TURNED, _BACK)
    _write(cipher, file, content)
    turned = content.translate(bytes.maketrans(b"abc", b"bcd"))
    assert _read(cipher, file, encrypted=False) == turned
    assert _read(cipher, file) == content


def test_without_commands_the_file_is_clear(file: FileIO) -> None:
    cipher = Cipher()
    _write(cipher, file, b"abc")
    assert _read(cipher, file, encrypted=False) == b"abc"
    with pytest.raises(UserError, match="DECRYPT"):
        _read(cipher, file)


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
    file: FileIO, command: str, said: str
) -> None:
    cipher = Cipher(command, command)
    with pytest.raises(CipherFailed, match=said) as raised:
        _write(cipher, file, _LARGE)
    assert "secret" not in str(raised.value)
    if command == "true":
        return
    with nameless_file() as empty, pytest.raises(CipherFailed, match=said):
        _read(cipher, empty)


def test_a_reader_that_stops_early_waits_for_nothing(file: FileIO) -> None:
    _write(Cipher(), file, _LARGE)
    with pytest.raises(ZeroDivisionError), Cipher("", "cat").open_to_read(file, encrypted=True):
        _ = 1 / 0
