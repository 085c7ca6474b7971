"""Exports: every row once, in files that a spreadsheet and a program read."""

import csv
import io
from typing import Any

import pytest
from pyarrow import parquet as pq
from sqlalchemy import Engine

from services.portal.api.access import keys as api_keys
from tests.integration.portal.api.directory import Directory, Reader, siret

ON_TWO_SHARDS = True


@pytest.fixture
def key(engine: Engine) -> dict[str, str]:
    with engine.begin() as connection:
        made = api_keys.add(connection, "tests", api_keys.MOST_PER_MINUTE)
    return {"Authorization": f"Bearer {made.key}"}


def _csv(reader: Reader, key: dict[str, str], **query: Any) -> tuple[list[dict[str, str]], str]:
    """Return the rows, and the last line."""
    answer = reader.get("/api/v1/export.csv", headers=key, **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Source"] == "Insee, Sirene"
    body, _, last = answer.content.decode().rstrip("\r\n").rpartition("\r\n")
    return list(csv.DictReader(io.StringIO(body, newline=""))), last


def test_an_export_walks_every_row_once(
    directory: Directory, reader: Reader, key: dict[str, str]
) -> None:
    for number in range(1, 41):
        directory.add(number)
    directory.add(50, departement="24")
    directory.index()
    rows, last = _csv(reader, key, departement="33")
    assert last == "#fin"
    assert sorted(row["siret"] for row in rows) == [siret(number) for number in range(1, 41)]
    total = reader.json("/api/v1/recherche", departement="33")["total"]
    assert total == len(rows)


def test_the_last_line_leads_to_the_rest(
    directory: Directory, reader: Reader, key: dict[str, str]
) -> None:
    for number in range(1, 21):
        directory.add(number)
    directory.index()
    found: list[str] = []
    query: dict[str, Any] = {"limite": 8}
    while True:
        rows, last = _csv(reader, key, **query)
        found += [row["siret"] for row in rows]
        if last == "#fin":
            break
        query["curseur"] = last.removeprefix("#curseur,")
    assert sorted(found) == [siret(number) for number in range(1, 21)]


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', "+33 6", "@SUM(A1)", '"; DROP', "</script>"])
def test_a_name_is_text_in_each_file(
    directory: Directory, reader: Reader, key: dict[str, str], name: str
) -> None:
    directory.add(1, unite={"denomination": name})
    directory.index()
    ((row,), _) = _csv(reader, key)
    assert row["nom"].removeprefix("'") == name
    assert not row["nom"].startswith(("=", "+", "@"))
    answer = reader.get("/api/v1/export.parquet", headers=key)
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.column("nom").to_pylist() == [name]
    assert table.column("siret").to_pylist() == [siret(1)]


def test_the_metadata_of_parquet_name_source_and_rest(
    directory: Directory, reader: Reader, key: dict[str, str]
) -> None:
    for number in range(1, 6):
        directory.add(number)
    directory.index()
    answer = reader.get("/api/v1/export.parquet", headers=key, limite=3)
    body = io.BytesIO(answer.content)
    metadata = pq.read_metadata(body).metadata
    assert metadata[b"source"].decode() == "Insee, Sirene"
    cursor = metadata[b"curseur"].decode()
    rest = reader.get("/api/v1/export.parquet", headers=key, limite=3, curseur=cursor)
    assert pq.read_table(body).num_rows + pq.read_table(io.BytesIO(rest.content)).num_rows == 5


def test_an_objector_is_in_no_export(
    directory: Directory, reader: Reader, key: dict[str, str]
) -> None:
    directory.add(1)
    directory.add(2)
    directory.index()
    directory.execute("UPDATE unites_legales SET statut_diffusion = 'P' WHERE siren LIKE '%26'")
    rows, _ = _csv(reader, key)
    assert [row["siret"] for row in rows] == [siret(1)]


def test_words_are_no_filter_of_an_export(reader: Reader, key: dict[str, str]) -> None:
    answer = reader.get("/api/v1/export.csv", headers=key, q="dupont")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problemes/parametre-inconnu")
