"""The reports of readers about pages, in the shard of the page.

A report holds people's own words. It goes some time after it was dealt with, and with
the erasure of its unit.
"""

from sqlalchemy import Index

from shared.db.tables import columns as col

KINDS = ("error", "opposition")
MOST_MESSAGE = 2_000
MOST_CONTACT = 200
KEPT_DAYS = 90
"""The days after which a report is deleted, once it was dealt with."""
MOST_DAYS = 365
"""The days after which it is deleted although nobody did."""

page_reports = col.table(
    "page_reports",
    col.own_id(),
    col.text("siret", "siren", required=True),
    col.one_of("kind", *KINDS),
    col.text("message", required=True),
    col.text("contact"),
    col.instant_now("reported_at"),
    col.instant("done_at"),
    Index("ix_page_reports_siret", "siret"),
    Index("ix_page_reports_siren", "siren"),
)
