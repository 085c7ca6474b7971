"""wrk and redis-server: installed, or Debian's packages with the libraries that they need.

Packages are unpacked into the project's folder; nothing is installed or started.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
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
    packages = partial(debian.missing, package=name)
    debian.unpack_once(name, folder, packages, advice="install it")
    path = folder / "usr" / "bin" / name
    if not path.exists():
        raise LocalServerError(f"Debian's package {name} holds no {name}: install it")
    return Program(path, debian.libraries(folder))
