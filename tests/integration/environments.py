"""Environments of their own for others' programs, below .local, each made from its requirements."""

import hashlib
import subprocess
import venv
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def interpreter_with(name: str) -> Path:
    """Of an environment that holds exactly what requirements/NAME.txt pins."""
    requirements, home = _ROOT / "requirements" / f"{name}.txt", _ROOT / ".local" / name
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    mark, python = home / "installed", home / "bin" / "python"
    if not mark.exists() or mark.read_text("ascii") != wanted:
        venv.create(home, clear=True, with_pip=True, symlinks=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command = [*install, "--require-hashes", "-r", str(requirements)]
        subprocess.run(command, check=True, timeout=600)
        mark.write_text(wanted, "ascii")
    return python
