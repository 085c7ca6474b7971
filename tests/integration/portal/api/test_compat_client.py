"""A client that others wrote for API Recherche d'entreprises works with another address alone.

It lives in an environment of its own, below .local, made from requirements/entreprises.txt. It is
part of a package for a framework, of which its own module needs nothing.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.environments import python_of
from tests.integration.portal.api.directory import Directory, Reader, siren, siret

_ASK = """
import asyncio, importlib.util, json, sys

(package,) = importlib.util.find_spec("piilot_pack_fropendata").submodule_search_locations
sys.path.insert(0, package)
from clients.recherche_entreprises import RechercheEntreprisesClient

async def ask(base_url, siren, siret):
    client = RechercheEntreprisesClient(base_url=base_url)
    found = await client.search("boulangerie dupont", limit=5)
    return {
        "found": [each.siren for each in found.results],
        "pages": [found.total_results, found.page, found.per_page, found.total_pages],
        "by_siren": (await client.by_siren(siren)).nom_complet,
        "by_siret": (await client.by_siret(siret)).siege["siret"],
        "nobody": await client.by_siren("552001558"),
    }

print(json.dumps(asyncio.run(ask(*sys.argv[1:]))))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    # The package says 3.12; its module runs on 3.11, too.
    return python_of("entreprises", "--no-deps", "--ignore-requires-python")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_client_of_others_finds_what_is_there(
    directory: Directory, reader: Reader, python: Path
) -> None:
    for number in range(1, 9):
        directory.add(number)
    directory.index()
    asked = subprocess.run(
        [str(python), "-c", _ASK, f"{reader.base_url}/compat", siren(3), siret(3)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr[-2000:]
    found = json.loads(asked.stdout)
    assert len(set(found["found"])) == 5
    assert found["pages"] == [8, 1, 5, 2]
    assert found["by_siren"] == "BOULANGERIE DUPONT 3"
    assert found["by_siret"] == siret(3)
    assert found["nobody"] is None
