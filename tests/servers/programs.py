"""wrk and redis-server: installed, or Debian's packages with the libraries that they need.

Packages are unpacked into the project's folder; nothing is installed or started.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL
from tests.servers import debian


@dataclass(frozen=True)
class Program:
    path: Path
    libraries: tuple[Path, ...] = ()

    @property
    def environment(self) -> Mapping[str, str]:
        if not self.libraries:
            return os.environ
        return os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, self.libraries))}


def find_or_fetch_program(name: str) -> Program:
    """Return the program of the package of its name; fetch it (2 MB) where it is missing."""
    if installed := shutil.which(name):
        return Program(Path(installed))
    folder = LOCAL / name
    if not folder.exists():
        print(f"  fetching {name} from Debian's packages (once)", flush=True)
        unfinished = folder.with_name(f"{name}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            debian.fetch(unfinished, lambda options: debian.missing(options, name))
        except LocalServerError as error:
            raise LocalServerError(f"cannot fetch {name} ({error}): install it") from None
        unfinished.rename(folder)
    path = folder / "usr" / "bin" / name
    if not path.exists():
        raise LocalServerError(f"Debian's package {name} holds no {name}: install it")
    return Program(path, (*folder.glob("usr/lib/*-linux-*"), *folder.glob("lib/*-linux-*")))
