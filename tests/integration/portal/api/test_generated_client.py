"""A client that is generated from the OpenAPI document reads every answer.

The generator lives in an environment of its own, made from requirements/openapi-client.txt.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.environments import python_of
from tests.integration.portal.api.directory import Directory, Reader, siren, siret

# Generated code raises for a field that the document does not have, or has otherwise.
_ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from annuaire import Client
from annuaire.api.default import (
    changements, etablissements, listes, pages, recherche, suggestions, unites
)
from annuaire.models import Probleme

client = Client(base_url=sys.argv[2], raise_on_unexpected_status=True)
siren, siret = sys.argv[3:]
found = recherche.sync(client=client, q="boulangerie dupont", departement=["33", "24"], par_page=2)
more = recherche.sync(
    client=client, q="boulangerie dupont", departement=["33", "24"], par_page=2,
    curseur=found.curseur,
)
fiche = etablissements.sync(siret, client=client).etablissement
page = pages.sync(fiche.page.removeprefix("/pages/"), client=client)
wrong = etablissements.sync("1", client=client)
assert isinstance(wrong, Probleme), wrong
print(json.dumps({
    "total": found.total,
    "sirets": [each.siret for each in (*found.resultats, *more.resultats)],
    "nom": fiche.nom,
    "page": page.etablissement.siret,
    "unite": unites.sync(siren, client=client).unite.nom,
    "liste": listes.sync(client=client, code_commune="33063").total,
    "suggestions": len(suggestions.sync(client=client, q="boul").suggestions),
    "changements": len(changements.sync(client=client).changements),
    "wrong": wrong.type_,
}))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return python_of("openapi-client")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return done


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_generated_client_reads_every_answer(
    directory: Directory, reader: Reader, python: Path, tmp_path: Path
) -> None:
    for number in range(1, 4):
        directory.add(number)
    directory.index()
    document, settings = tmp_path / "openapi.json", tmp_path / "settings.json"
    document.write_bytes(reader.get("/openapi.json").content)
    settings.write_text(json.dumps({"post_hooks": []}), "utf-8")
    generate = [str(python), "-m", "openapi_python_client", "generate", "--meta", "none"]
    made = _run(
        *generate,
        "--path",
        str(document),
        "--config",
        str(settings),
        "--output-path",
        str(tmp_path / "annuaire"),
    )
    # It knows neither Atom nor Parquet.
    passed_over = set(re.findall(r"WARNING parsing GET (\S+)", made.stderr))
    assert passed_over == {"/api/v1/changements.atom", "/api/v1/export.parquet"}
    asked = _run(str(python), "-c", _ASK, str(tmp_path), reader.base_url, siren(2), siret(2))
    found = json.loads(asked.stdout)
    assert sorted(found.pop("sirets")) == [siret(number) for number in range(1, 4)]
    assert found == {
        "total": 3,
        "nom": "BOULANGERIE DUPONT 2",
        "page": siret(2),
        "unite": "BOULANGERIE DUPONT 2",
        "liste": 3,
        "suggestions": 3,
        "changements": 3,
        "wrong": "/problemes/numero-invalide",
    }
