"""The names of servers, which services resolve by a file of the proof."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_RESOLVER = Path(__file__).parent / "resolver"


class Names:
    def __init__(self, file: Path, names: Iterable[str]) -> None:
        self._file = file
        self._names = [f"{name}.ha.invalid" for name in names]
        self._write(self._names)

    @property
    def environment(self) -> dict[str, str]:
        inherited = os.environ.get("PYTHONPATH")
        path = [str(_RESOLVER), *([inherited] if inherited else [])]
        return {"PROOF_HOSTS_FILE": str(self._file), "PYTHONPATH": os.pathsep.join(path)}

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Let a name be gone until the block ends."""
        self._write(each for each in self._names if each != f"{name}.ha.invalid")
        try:
            yield
        finally:
            self._write(self._names)

    def _write(self, names: Iterable[str]) -> None:
        whole = self._file.with_suffix(".new")
        whole.write_text("\n".join(names), encoding="utf-8")
        whole.replace(self._file)
