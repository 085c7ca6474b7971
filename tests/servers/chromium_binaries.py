"""Chromium: installed, or Debian's packages with its libraries, unpacked into the folder.

Nothing here needs root or changes the system.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL
from tests.servers import debian

_INSTALLED = ("/usr/lib/chromium/chromium", "/usr/lib/chromium-browser/chromium-browser")
_PACKAGES = ("chromium", "fonts-inter", "fonts-noto-color-emoji")
_FONTS = """<?xml version="1.0"?>
<fontconfig>
  <dir>{folder}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{folder}/fonts</cachedir>
</fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    program: Path
    environment: Mapping[str, str]
    """The variables that it needs besides those of the process."""


def find_or_fetch_chromium() -> Chromium:
    """Return Chromium; fetch it (100 MB) where it is neither unpacked nor installed."""
    return _unpacked(LOCAL / "chromium") or _installed() or _fetch(LOCAL / "chromium")


def _installed() -> Chromium | None:
    found = next((Path(path) for path in _INSTALLED if Path(path).exists()), None)
    return None if found is None else Chromium(found, {})


def _unpacked(folder: Path) -> Chromium | None:
    program = folder / "usr/lib/chromium/chromium"
    if not program.exists():
        return None
    libraries = list(debian.libraries(folder))
    # Some packages have their libraries in folders of their own.
    libraries += [each for each in folder.glob("usr/lib/*-linux-*/*") if any(each.glob("lib*.so*"))]
    fonts = folder / "fonts.conf"
    fonts.write_text(_FONTS.format(folder=folder), encoding="utf-8")
    return Chromium(
        program,
        {
            "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
            "FONTCONFIG_FILE": str(fonts),
        },
    )


def _fetch(folder: Path) -> Chromium:
    debian.unpack_once("Chromium", folder, _packages, advice="install chromium")
    found = _unpacked(folder)
    if found is None:
        raise LocalServerError(f"the packages in {folder} hold no Chromium: install chromium")
    return found


def _packages(options: Sequence[str]) -> list[str]:
    simulated = debian.run(
        ["apt-get", *options, "install", "--simulate", "--no-install-recommends", *_PACKAGES]
    )
    # The package lists may not say what is installed already: the fonts are fetched in any case.
    return sorted({*_PACKAGES, *re.findall(r"^Inst (\S+)", simulated, re.MULTILINE)})
