"""Facts for the tests of notices: a garage with a street and a dated headcount."""

import dataclasses
from typing import Any

import pytest

from tests.unit.reviewer.conftest import FactsLike


@pytest.fixture
def facts_like(facts_like: FactsLike) -> FactsLike:
    """Return the facts of a garage, some of them changed."""
    garage = facts_like(region="53", annee_effectifs=2024, voie="12 rue des Tilleuls")

    def change(**changes: Any) -> Any:
        return dataclasses.replace(garage, **changes)

    return change
