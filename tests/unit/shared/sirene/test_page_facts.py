"""The columns behind pages and texts are part of the record, and are listed."""

from typing import Any

import pytest

from shared.sirene.mapping.mapper import map_record
from shared.sirene.pages import (
    ETABLISSEMENT_FACTS,
    UNITE_FACTS,
    avis_outcome,
    facts_of,
    page_of,
)


class _Witness:
    """A record that notes the names of the fields that were read."""

    def __init__(self, record: object) -> None:
        self._record = record
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._record, name)


@pytest.mark.parametrize("statut", ["O", "P"])
def test_only_the_named_fields_are_read(recorded_etablissements: list[Any], statut: str) -> None:
    read: tuple[set[str], set[str]] = set(), set()
    for record in recorded_etablissements:
        mapped = map_record({**record, "statutDiffusionEtablissement": statut})
        etablissement: Any = _Witness(mapped.etablissement)
        unite: Any = _Witness(mapped.unite)
        page = page_of(etablissement, unite)
        avis_outcome(etablissement, unite, "open", sole_traders=False, opposed=False)
        if page is not None:
            facts_of(etablissement, unite, page)
        read[0].update(etablissement.read)
        read[1].update(unite.read)
    assert read[0] <= set(ETABLISSEMENT_FACTS)
    assert read[1] <= set(UNITE_FACTS)
