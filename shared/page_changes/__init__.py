"""The log of page changes, read in an order in which nothing can come later in front.

Triggers write a row for each page that a transaction changes, in that transaction. The log is read
by the number of the transaction, up to the oldest one that is still open: an earlier one may yet
commit, and a reader that had gone past it would never see its rows (docs/adr/0035-portal.md). So a
transaction that stays open holds the log up, and nothing is skipped.

Each shard has a log of its own; a cursor belongs to one.
"""

from shared.page_changes.cursor import START, Cursor, CursorLost
from shared.page_changes.log import (
    KEPT_DAYS,
    ChangeKind,
    Changes,
    PageChange,
    forget_old,
    held_erasures,
    held_seconds,
    latest,
    oldest_open,
    read,
)

__all__ = [
    "KEPT_DAYS",
    "START",
    "ChangeKind",
    "Changes",
    "Cursor",
    "CursorLost",
    "PageChange",
    "forget_old",
    "held_erasures",
    "held_seconds",
    "latest",
    "oldest_open",
    "read",
]
