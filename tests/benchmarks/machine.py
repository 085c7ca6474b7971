"""This machine, its servers and the code: a run's figures depend on them."""

import os
import platform
import subprocess
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types

from deploy.local import processes
from deploy.local.folders import PROJECT
from deploy.local.postgres_binaries import binaries_for
from tests.servers.rabbitmq_binaries import find_or_fetch_rabbitmq

Description = dict[str, str | int | float]


def describe() -> Description:
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": _postgresql(),
        "rabbitmq": find_or_fetch_rabbitmq().root.name.removeprefix("rabbitmq_server-"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def in_words(machine: dict[str, str | int | float]) -> str:
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB,"
        f" {machine['system']}; Python {machine['python']},"
        f" PostgreSQL {machine['postgresql']}, RabbitMQ {machine['rabbitmq']};"
        f" load average at the start {machine['load_average']}"
    )


def revision() -> str:
    """Return the commit of the code that runs, with `-changed` where files differ from it."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return f"{head}-changed" if _git("status", "--porcelain") else head
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(PROJECT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _postgresql() -> str:
    account = processes.server_account()
    command = [str(binaries_for(account) / "postgres"), "--version"]
    return processes.run_as(account, command).stdout.split()[-1]
