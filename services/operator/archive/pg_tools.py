"""PostgreSQL's pg_dump and pg_restore: found, and run without a visible password."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.db_url import normalise_url
from shared.errors import UserError

_SYSTEM = Path("/usr/lib/postgresql")
Tool = Literal["pg_dump", "pg_restore"]
# Connections of a dump or restore, beside the one that holds the snapshot.
_JOBS = 2


class ToolFailed(UserError):
    """Raised when pg_dump or pg_restore fails; quotes its first line about an error."""


@dataclass(frozen=True)
class Found:
    path: Path
    major: int

    def dump(self, url: str, target: Path, *, snapshot: str) -> None:
        self._run(
            url,
            *("--format=directory", f"--jobs={_JOBS}", f"--snapshot={snapshot}"),
            *("--no-owner", "--no-privileges", f"--file={target}"),
        )

    def restore(self, url: str, source: Path) -> None:
        self._run(
            url,
            *("--exit-on-error", f"--jobs={_JOBS}", "--no-owner", "--no-privileges"),
            str(source),
        )

    def _run(self, url: str, *arguments: str) -> None:
        with _connection_string(url) as dbname:
            ended = subprocess.run(  # noqa: S603  PostgreSQL's own tool
                [str(self.path), f"--dbname={dbname}", "--no-password", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                check=False,
                text=True,
                errors="replace",
            )
        if ended.returncode != 0:
            errors = [line for line in ended.stderr.splitlines() if "error" in line.lower()]
            reason = (errors or ended.stderr.splitlines() or [f"status {ended.returncode}"])[0]
            raise ToolFailed(reason.strip())


@dataclass(frozen=True)
class PgTools:
    """Finds the tools in `folder`; None looks on the path and where Debian puts them."""

    folder: Path | None = None

    def find(self, tool: Tool, least: int) -> Found:
        """Return the tool of this major version, else the next newer one. Raises UserError."""
        found = sorted(self._all(tool), key=lambda each: each.major)
        for each in found:
            if each.major >= least:
                return each
        have = ", ".join(str(each.major) for each in found) or "none"
        raise UserError(
            f"{tool} of PostgreSQL {least} or newer is needed (found: {have}): install "
            f"postgresql-client-{least}, or set SIRENADE_PG_BIN to its folder"
        )

    def _all(self, tool: Tool) -> Iterator[Found]:
        if self.folder is not None:
            paths = [self.folder / tool]
        else:
            on_path = shutil.which(tool)
            paths = [Path(on_path)] if on_path else []
            paths += sorted(_SYSTEM.glob(f"*/bin/{tool}"))
        for path in paths:
            if (major := _major(path)) is not None:
                yield Found(path, major)


def _major(path: Path) -> int | None:
    try:
        answer = subprocess.run(  # noqa: S603  PostgreSQL's own tool
            [str(path), "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return None
    version = re.search(r"(\d+)", answer)
    return int(version[1]) if version else None


@contextmanager
def _connection_string(url: str) -> Iterator[str]:
    """Yield a connection string; its password is in a private file, as arguments are visible."""
    parsed = normalise_url(url).set(drivername="postgresql")
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="sirenade-") as file:
        if parsed.password is not None:
            password = str(parsed.password).replace("\\", "\\\\").replace(":", "\\:")
            file.write(f"*:*:*:*:{password}\n")
            file.flush()
            # SQLAlchemy takes no None for a password that is set.
            parsed = parsed._replace(password=None).update_query_dict({"passfile": file.name})
        yield parsed.render_as_string(hide_password=False)
