"""Every command works with several servers in the URL, of which one is gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.system.conftest import ROOT

_COMMANDS = (
    ["migrate"],
    ["status", "--once"],
    ["stats", "--json"],
    ["monitor", "--once", "--json"],
    ["reconcile"],
    ["failed", "list"],
    ["backup"],
    ["roles", "--apply"],
)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "spelling",
    [
        "//{login}@gone.invalid,127.0.0.1:{port}/{name}",
        "//{login}@/{name}?host=127.0.0.1,127.0.0.1&port=1,{port}",
    ],
)
def test_commands_reach_the_server_that_is_there(
    spelling: str, database_url: str, tmp_path: Path
) -> None:
    url = make_url(database_url)
    login = url.set(host="x").render_as_string(hide_password=False)[len(f"{url.drivername}://") :]
    place = spelling.format(login=login.partition("@")[0], port=url.port, name=url.database)
    (tmp_path / "store").mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIRENADE_")},
        "SIRENADE_DATABASE_URL": f"postgresql:{place}",
        "SIRENADE_BROKER_URL": "memory://",
        "SIRENADE_INSEE_KEY": "simulated",
        "SIRENADE_ARCHIVE_URL": f"file://{tmp_path}/store",
        "SIRENADE_BACKUP_KEY": "0123456789abcdef0123",
        "SIRENADE_ROLE_PREFIX": "several_",
    }
    for command in _COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "services.dispatch", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-500:]} {done.stderr[-800:]}"
