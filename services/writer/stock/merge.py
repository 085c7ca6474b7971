"""The merge of the staging table into a register in use: some blocks at a time, newer rows only."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from services.writer.pages.pages import renew_pages
from services.writer.slices.rows import Written
from services.writer.slices.statements import CREATE_NEW
from services.writer.stock.erasure import bury, honour_due
from services.writer.stock.log import StockLoad
from services.writer.stock.statements import (
    LOCK_DUE_UNITES,
    bury_replaced,
    find_turned,
    select_due,
    upsert,
)
from services.writer.turns.turns import postpone_due
from shared.db.locks import Lock, share

_KEEP = text("""
    UPDATE stock_loads
    SET merged_blocks = :blocks, inserted = inserted + :inserted, updated = updated + :updated
    WHERE id = :id AND merged_blocks = :first
""")


@dataclass(frozen=True, slots=True)
class MergeRules:
    """`absent` are the columns of the register that the file lacks."""

    absent: Collection[str]
    sole_traders: bool


def merge_blocks(
    connection: Connection, load: StockLoad, rules: MergeRules, *, first: int, last: int
) -> Written:
    """Merge the blocks from `first` to before `last`, and note it; the caller commits.

    People who withdraw in this file are erased here; the other pages are renewed later.
    """
    # No opposition is recorded between the look at them and the commit, as in a slice.
    share(connection, Lock.REGISTER)
    blocks = {"first": f"({first},0)", "last": f"({last},0)"}
    find_due = select_due(load.collection, rules.absent, takes_equal=load.takes_equal)
    connection.execute(find_due, {**blocks, "fetched_at": load.fetched_at, "on": load.on})
    connection.execute(LOCK_DUE_UNITES)
    turned = list(connection.scalars(find_turned(load.collection)))
    if turned:
        bury(connection, load.collection, turned)
    if load.collection == "etablissements":
        postpone_due(connection, on=load.on)
    connection.execute(bury_replaced(load.collection, rules.absent))
    store_due = upsert(load.collection, rules.absent, takes_equal=load.takes_equal)
    row = connection.execute(store_due).one()
    if turned:
        connection.execute(CREATE_NEW)
        of_unites = load.collection == "unites_legales"
        renew_pages(
            connection,
            sirets=[] if of_unites else turned,
            sirens=turned if of_unites else [],
            sole_traders=rules.sole_traders,
        )
    honour_due(connection, load.collection)
    connection.execute(_KEEP, {"id": load.id, "first": first, "blocks": last, **row._asdict()})
    return Written(row.inserted, row.updated)
