"""Files of people's data: only their owner reads them, and a kill leaves none of them."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from shared.private_files import nameless_file, private_file, write_private

_ROOT = Path(__file__).parents[3]
_KILLED_IN_A_FILE = """
import os, pathlib, sys
from shared.private_files import nameless_file, private_file
folder = pathlib.Path(sys.argv[1])
with nameless_file(folder) as kept, private_file(folder / "erasures.jsonl") as out:
    kept.write(b"a person" * 1_000_000)
    out.write("a person" * 1_000_000)
    out.flush()
    os.kill(os.getpid(), 9)
"""


def test_a_kill_leaves_nothing_in_the_folder(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_IN_A_FILE, tmp_path], cwd=_ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_the_file_appears_whole_in_the_place_of_an_older_one(tmp_path: Path) -> None:
    path, cut_short = tmp_path / "a.html", tmp_path / "a.html.new"
    cut_short.write_text("half")
    path.write_text("old")
    with private_file(path) as out:
        out.write("né")
        assert path.read_text() == "old"
    assert path.read_text("utf-8") == "né"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    write_private(path, "old")
    with pytest.raises(UnicodeEncodeError), private_file(path) as out:
        out.write("half" * 100_000 + "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_nameless_file_is_where_its_writer_left_it_for_a_child(tmp_path: Path) -> None:
    with nameless_file(tmp_path) as file:
        subprocess.run(["printf", "short"], stdout=file, check=True)
        file.seek(0)
        assert file.read() == b"short"
