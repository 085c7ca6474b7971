"""The counts of a trade in a commune: the open establishments of one activity there.

Every open establishment of the register counts that has an activity and a commune: those with
partial diffusion (P), sole traders and units that were forgotten, too, because their numbers stay
(docs/adr/0009-erasure.md); `docs/adr/0027-trades.md` has the reasons. Arrondissements of Paris,
Lyon and Marseille are communes of their own, as in the register. An establishment has employees
where INSEE's last band has at least one.

A count is the sum of its row in `trade_counts` and of its rows in `trade_count_changes`, which
triggers of `etablissements` write in the transaction of the rows. A row of either may be zero.
"""

from sqlalchemy import Index, PrimaryKeyConstraint

from shared.db.tables import columns as col

# The code alone does not name a trade: two nomenclatures give one code to two of them.
TRADE = ("code_commune", "activite_principale", "nomenclature_activite_principale")

trade_counts = col.table(
    "trade_counts",
    col.text(*TRADE, required=True),
    col.integer("etablissements", "with_employees", required=True),
    PrimaryKeyConstraint(*TRADE),
    fillfactor=85,
)

# Writers only add to it, so that none waits for another one's count of a large town.
trade_count_changes = col.table(
    "trade_count_changes",
    col.text(*TRADE, required=True),
    col.integer("etablissements", "with_employees", required=True),
    Index(
        "ix_trade_count_changes_code_commune_activite_principale",
        "code_commune",
        "activite_principale",
    ),
)
