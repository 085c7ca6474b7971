import pyarrow as pa

from services.writer.stock.unknown_codes import codes_in_columns


def test_codes_of_open_rows_that_no_table_knows_are_found() -> None:
    found = codes_in_columns(
        {
            "etat_administratif": pa.array(["A", "F", "A", None]),
            "activite_principale": pa.array(["99.99X", "88.88X", "43.22G", None]),
            "nomenclature_activite_principale": pa.array(["NAF25", "NAFRev2", "NAF2025", None]),
            "tranche_effectifs": pa.array(["NN", None, " 12 ", "77"]),
            "code_commune": pa.array(["33063", "33063", "75056", "33998"]),
            "siret": pa.array(["1", "2", "3", "4"]),
        }
    )
    assert found == {
        ("activite_principale", "99.99X"),
        ("nomenclature_activite_principale", "NAF25"),
        ("tranche_effectifs", "77"),
        ("code_commune", "33998"),
    }


def test_a_chunk_of_known_codes_has_none() -> None:
    assert not codes_in_columns({"code_commune": pa.array(["33063", None])})
