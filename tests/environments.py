"""Environments of their own, below .local, for packages that the project itself does not use."""

import hashlib
import subprocess
import venv
from pathlib import Path

from deploy.local.folders import LOCAL, PROJECT


def python_of(name: str, *options: str) -> Path:
    """Interpreter of an environment that holds exactly what requirements/NAME.txt pins.

    `options` are more of pip's.
    """
    requirements, home = PROJECT / "requirements" / f"{name}.txt", LOCAL / name
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    mark, python = home / "installed", home / "bin" / "python"
    if not mark.exists() or mark.read_text("ascii") != wanted:
        venv.create(home, clear=True, with_pip=True, symlinks=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command = [*install, *options, "--require-hashes", "-r", str(requirements)]
        subprocess.run(command, check=True, timeout=600)
        mark.write_text(wanted, "ascii")
    return python
