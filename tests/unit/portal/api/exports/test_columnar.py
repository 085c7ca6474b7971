"""A Parquet file that is made piece by piece is one file, with its cursor at the end."""

import io

from pyarrow import parquet as pq

from services.portal.api.exports.columnar import ParquetFile


def test_a_file_of_several_groups_is_read_back() -> None:
    file = ParquetFile(["siret", "nom", "siege"])
    pieces = [
        file.group([["1", "=DUPONT", True], ["2", None, False]]),
        file.group([["3", "É\n\x00", None]]),
        file.end({"curseur": "abc", "source": "Insee, Sirene"}),
    ]
    assert all(pieces)
    table = pq.read_table(io.BytesIO(b"".join(pieces)))
    assert table.to_pydict() == {
        "siret": ["1", "2", "3"],
        "nom": ["=DUPONT", None, "É\n\x00"],
        "siege": ["true", "false", None],
    }
    metadata = pq.read_metadata(io.BytesIO(b"".join(pieces))).metadata
    assert metadata[b"curseur"] == b"abc"


def test_a_file_without_rows_is_read_back() -> None:
    body = ParquetFile(["siret"]).end({"curseur": ""})
    assert pq.read_table(io.BytesIO(body)).num_rows == 0
