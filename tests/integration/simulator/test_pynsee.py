"""A client that others wrote for INSEE's API walks the simulator.

It lives in an environment of its own, below .local, made from requirements/pynsee.txt.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from services.simulator.gateway.server import RunningServer
from services.simulator.options import SimulatorOptions
from tests.environments import python_of

Start = Callable[[SimulatorOptions], RunningServer]
_KEY = {"sirene_key": "test"}

# pynsee knows one address. Its session is the one place that all its requests pass through.
_WALK = """
import json, sys
from pynsee.utils.requests_session import PynseeAPISession
from pynsee.sirene import search_sirene

there, here = "https://api.insee.fr/api-sirene/3.11", sys.argv[1]
ask = PynseeAPISession.request

def redirected(self, method, url, **options):
    assert url.startswith(there), url
    return ask(self, method, here + url.removeprefix(there), **options)

PynseeAPISession.request = redirected
found = search_sirene(
    variable=["codeCommuneEtablissement", "statutDiffusionEtablissement"], pattern=["33*", "O"],
    kind="siret", number=5000, activity=False, legal=False, closed=True, update=True,
)
newest = found.drop_duplicates("siret")
print(json.dumps({"sirets": list(newest.siret), "columns": list(found.columns)}))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return python_of("pynsee")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_pynsee_walks_more_than_a_thousand_rows_and_finds_each_one(
    start: Start, python: Path, tmp_path: Path
) -> None:
    server = start(
        SimulatorOptions(establishments=3200, departements=("33",), requests_per_minute=100)
    )
    walked = subprocess.run(
        [str(python), "-c", _WALK, server.url],
        env={
            **os.environ,
            "XDG_CACHE_HOME": str(tmp_path),
            "HOME": str(tmp_path),
            "sirene_key": "k",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert walked.returncode == 0, walked.stderr[-2000:]
    found = json.loads(walked.stdout.splitlines()[-1])
    register = server.register
    expected = [
        str(record["siret"])
        for record in (register.record("siret", p) for p in range(register.size("siret")))
        if record["statutDiffusionEtablissement"] == "O"
    ]
    assert len(expected) > 2000
    assert found["sirets"] == expected
    assert {"codeCommuneEtablissement", "denominationUniteLegale"} <= set(found["columns"])
