"""The counts of trades as they are kept, and as the rows say."""

from collections import Counter

from tests.integration.writer.desk import Desk

Trades = dict[tuple[str, str, str], tuple[int, int]]

_KEPT = """
    SELECT code_commune, activite_principale, nomenclature_activite_principale,
      etablissements, with_employees FROM trade_counts
    UNION ALL
    SELECT code_commune, activite_principale, nomenclature_activite_principale,
      etablissements, with_employees FROM trade_count_changes
"""
_REAL = """
    SELECT code_commune, activite_principale, nomenclature_activite_principale, count(*) AS n,
      sum(CASE WHEN tranche_effectifs >= '01' AND tranche_effectifs < 'A' THEN 1 ELSE 0 END) AS m
    FROM etablissements
    WHERE etat_administratif = 'A' AND code_commune IS NOT NULL AND activite_principale IS NOT NULL
      AND nomenclature_activite_principale IS NOT NULL
    GROUP BY 1, 2, 3
"""


def kept(desk: Desk) -> Trades:
    """Return what a reader sums, without the trades of nobody."""
    return _summed(desk, _KEPT)


def real(desk: Desk) -> Trades:
    return _summed(desk, _REAL)


def _summed(desk: Desk, statement: str) -> Trades:
    etablissements: Counter[tuple[str, str, str]] = Counter()
    with_employees: Counter[tuple[str, str, str]] = Counter()
    for commune, activite, nomenclature, number, employing in (
        tuple(row.values()) for row in desk.execute(statement)
    ):
        etablissements[commune, activite, nomenclature] += number
        with_employees[commune, activite, nomenclature] += employing
    trades = {key: (number, with_employees[key]) for key, number in etablissements.items()}
    return {key: numbers for key, numbers in trades.items() if numbers != (0, 0)}
