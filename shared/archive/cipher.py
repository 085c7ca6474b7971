"""Encryption by commands of the operator, like those of age or gpg, in streams.

Clear data never touches the disk: it goes through a pipe.
"""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import IO

from shared.errors import UserError
from shared.private_files import nameless_file


class CipherFailed(UserError):
    """Raised when a command fails; quotes the first line that it said."""


@dataclass(frozen=True)
class Cipher:
    """Commands read standard input and write standard output; an empty one changes nothing."""

    encrypt_command: str = ""
    decrypt_command: str = ""

    @contextmanager
    def open_to_write(self, file: FileIO) -> Iterator[IO[bytes]]:
        """Yield a stream for clear data; the file is encrypted. Raises CipherFailed."""
        if not self.encrypt_command:
            # A write to the file itself may be cut short by a full disk, without an error.
            out = BufferedWriter(file)
            yield out
            out.detach()
            return
        with _running(self.encrypt_command, stdin=subprocess.PIPE, stdout=file) as process:
            assert process.stdin is not None
            with process.stdin as clear:
                yield clear

    @contextmanager
    def open_to_read(self, file: FileIO, *, encrypted: bool) -> Iterator[IO[bytes]]:
        """Yield the clear data of a file. Raises UserError without a command that decrypts it."""
        file.seek(0)
        if not encrypted:
            yield file
            return
        if not self.decrypt_command:
            raise UserError("the backup is encrypted: set SIRENADE_BACKUP_DECRYPT_COMMAND")
        with _running(self.decrypt_command, stdin=file, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            with process.stdout as clear:
                yield clear


@contextmanager
def _running(
    command: str, *, stdin: int | IO[bytes], stdout: int | IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command beside the block. Its failure explains what fails in the block."""
    with nameless_file() as said:
        try:
            process = subprocess.Popen(  # noqa: S603  the operator's own command
                shlex.split(command), stdin=stdin, stdout=stdout, stderr=said
            )
        except (OSError, ValueError) as error:
            raise CipherFailed(f"cannot run {_tool(command)}: {error}") from None
        try:
            yield process
        except BaseException as error:
            # Whatever ends the block, the child is waited for: its failure is the cause where the
            # block only met the broken pipe. All else goes on as it was raised.
            if process.wait() > 0 or isinstance(error, BrokenPipeError):
                raise CipherFailed(_reason(command, process, said)) from None
            raise
        if process.wait() != 0:
            raise CipherFailed(_reason(command, process, said))


def _reason(command: str, process: subprocess.Popen[bytes], said: IO[bytes]) -> str:
    said.seek(0)
    first = said.readline().decode(errors="replace").strip()
    return f"{_tool(command)} failed: {first or f'status {process.returncode}'}"


def _tool(command: str) -> str:
    """Return the name of the tool: its arguments may hold a password."""
    return Path(command.split(maxsplit=1)[0]).name if command.split() else "the command"
