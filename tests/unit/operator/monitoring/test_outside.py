"""Processes of a machine that are services of the given database."""

import os
from pathlib import Path

from services.operator.monitoring.outside import Memory, memory_here

URL = "postgresql://sirenade@127.0.0.1/sirenade"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def process(proc: Path, pid: int, arguments: list[str], **environment: str) -> None:
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "cmdline").write_bytes("\0".join([*arguments, ""]).encode())
    (proc / str(pid) / "statm").write_text(f"9000 {pid} 800 1 0 2000 0")
    named = "\0".join(f"{name}={value}" for name, value in environment.items())
    (proc / str(pid) / "environ").write_bytes(named.encode())


def test_services_are_found_by_their_command_line(tmp_path: Path) -> None:
    process(tmp_path, 1, ["/sbin/init"])
    process(tmp_path, 30, ["/opt/sirenade/.venv/bin/python", "-m", "services.writer", "run"])
    process(tmp_path, 4, ["python", "-m", "services.fetcher", "run"], SIRENADE_DATABASE_URL=URL)
    process(tmp_path, 5, ["python3.11", "-m", "services.dispatch", "demo", "-n", "3000"])
    process(tmp_path, 6, ["python", "-m", "services.dispatch", "monitor"])
    process(tmp_path, 7, ["vi", "-m", "services.writer", "run"])
    process(tmp_path, 8, ["python", "-m", "services.writer", "run"], SIRENADE_DATABASE_URL="other")
    (tmp_path / "9").mkdir()  # the process ends at this moment
    (tmp_path / "self").mkdir()
    assert memory_here(URL, tmp_path) == [
        Memory("demo", "5", 5 * PAGE_BYTES),
        Memory("fetcher", "4", 4 * PAGE_BYTES),
        Memory("writer", "30", 30 * PAGE_BYTES),
    ]


def test_a_machine_without_proc_has_none(tmp_path: Path) -> None:
    assert memory_here(URL, tmp_path / "none") == []
