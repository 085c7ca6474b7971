import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_RECORDED = Path(__file__).parents[1] / "fixtures" / "insee"

Record = dict[str, Any]


def _lines(name: str) -> list[Record]:
    text = (_RECORDED / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line]


@pytest.fixture(scope="session")
def recorded_etablissements() -> list[Record]:
    return _lines("etablissements.jsonl")


@pytest.fixture(scope="session")
def recorded_unites() -> list[Record]:
    return _lines("unites_legales.jsonl")


@pytest.fixture
def record_with(recorded_etablissements: list[Record]) -> Callable[..., Record]:
    """A recorded establishment of the present shape with changes per block."""

    def build(
        *,
        adresse: Record | None = None,
        periode: Record | None = None,
        unite: Record | None = None,
        **changes: Any,
    ) -> Record:
        record = copy.deepcopy(
            next(r for r in recorded_etablissements if r["siret"] == "30613890002979")
        )
        record["adresseEtablissement"].update(adresse or {})
        record["uniteLegale"].update(unite or {})
        record["periodesEtablissement"][0].update(periode or {})
        record.update(changes)
        return record

    return build
