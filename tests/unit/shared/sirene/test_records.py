import dataclasses

import pytest

from shared.db.tables import etablissements, pro_localisations, unites_legales
from shared.sirene.records import (
    PERSONAL_ETABLISSEMENT_FIELDS,
    PERSONAL_UNITE_FIELDS,
    Etablissement,
    Page,
    UniteLegale,
)

_BOOKKEEPING = {"content_hash", "fetched_at", "buried", "updated_at"}


def _names(record: type) -> list[str]:
    return [field.name for field in dataclasses.fields(record)]


@pytest.mark.parametrize(
    ("record", "table"), [(UniteLegale, unites_legales), (Etablissement, etablissements)]
)
def test_fields_are_the_columns_in_their_order(record: type, table: object) -> None:
    columns = [c.name for c in table.columns if c.name not in _BOOKKEEPING]  # type: ignore[attr-defined]  # either table
    assert _names(record) == columns


def test_a_page_has_the_columns_of_its_table_without_its_history() -> None:
    columns = [
        c.name for c in pro_localisations.columns if c.name not in {"id", "opened_at", "closed_at"}
    ]
    assert _names(Page) == columns


def test_personal_fields_exist() -> None:
    assert set(PERSONAL_UNITE_FIELDS) <= set(_names(UniteLegale))
    assert set(PERSONAL_ETABLISSEMENT_FIELDS) <= set(_names(Etablissement))


def test_a_row_with_fewer_columns_leaves_defaults() -> None:
    row = {"u_siren": "552032534", "u_statut_diffusion": "O", "siren": "000000000"}
    unite = UniteLegale.from_row(row, prefix="u_")
    assert (unite.siren, unite.denomination) == ("552032534", None)
