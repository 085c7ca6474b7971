"""A load whose COPY is ended quotes no row: not in its own words, not in the server's log."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from tests.integration.writer.scene import WORDS, Scene
from tests.integration.writer.slow_copy import SLOW, end_copy
from tests.integration.writer.stock.conftest import Stock
from tests.system.conftest import ROOT


def test_a_load_whose_copy_is_ended_quotes_no_row(
    person: Scene,
    stock: Stock,
    engine: Engine,
    database_url: str,
    log_since: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The staging table has the checks of the register's.
    person.desk.execute(f"ALTER TABLE unites_legales ADD CONSTRAINT slow CHECK ({SLOW})")
    files = stock.write(person.clear(1), person.clear(2))
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    command = [sys.executable, "-m", "services.writer", "stock", *files]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    end_copy(engine)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "run the command again" in err
    assert [word for word in WORDS if word in out + err] == []
    assert "terminating connection" in log_since()
    assert [word for word in WORDS if word in log_since()] == []
