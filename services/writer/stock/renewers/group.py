"""A group of establishments whose pages are renewed in one transaction."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, Engine, text

from services.writer.pages.pages import renew_many
from services.writer.slices.statements import CREATE_NEW
from services.writer.sql.conflicts import retry_in_use

# A group that a crash of the server takes back is renewed again: the note of it goes with it. A
# plan for a table that is still small, or for the keys of one group, reads whole tables later.
BEGIN = text(f"""
    SET LOCAL synchronous_commit = off;
    SET LOCAL plan_cache_mode = force_generic_plan;
    SET LOCAL random_page_cost = 1.1;
    {CREATE_NEW.text}
""")


def renew_group(engine: Engine, sirets: Sequence[str], *, sole_traders: bool) -> None:
    """Renew the pages of these establishments, and commit."""
    retry_in_use(engine, partial(_renew, sirets=sirets, sole_traders=sole_traders))


def _renew(connection: Connection, *, sirets: Sequence[str], sole_traders: bool) -> None:
    connection.execute(BEGIN)
    renew_many(connection, sirets, sole_traders=sole_traders)
