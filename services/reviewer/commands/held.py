"""The command `avis held`: the texts that wait for a person."""

from typing import Annotated, Any

import typer
from sqlalchemy import text

from services.reviewer.commands.databases import databases
from shared.money.amounts import json_default
from shared.terminal.cli import AsJson, print_json, say
from shared.terminal.words import thousands

_COUNT = text("SELECT count(*) FROM avis WHERE held_because IS NOT NULL")
# A hold by order comes with the words of the order.
_HELD = text("""
    SELECT a.siret, a.kind, a.held_because, a.held_at, a.model, a.text, a.label,
      o.ordered_by, o.reason
    FROM avis a LEFT JOIN LATERAL (
      SELECT ordered_by, reason FROM avis_orders
      WHERE siret = a.siret AND kind = a.kind AND verb = 'hold' AND status = 'done'
        AND a.held_because = 'asked'
      ORDER BY id DESC LIMIT 1) o ON true
    WHERE a.held_because IS NOT NULL
    ORDER BY a.held_at, a.id LIMIT :most
""")


def held(
    most: Annotated[int, typer.Option(min=1, max=10_000, help="Texts to show at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the held texts, the oldest first, and why they are held.

    Example: ./sirenade avis held --most 50
    """
    count, rows = 0, []
    with databases() as opened:
        for engine in opened.shards:
            with engine.connect() as connection:
                count += connection.execute(_COUNT).scalar_one()
                found = connection.execute(_HELD, {"most": most}).mappings()
                rows += [dict(row) for row in found]
    rows = sorted(rows, key=lambda row: row["held_at"])[:most]
    if as_json:
        told = {"held": count, "texts": rows}
        print_json(told, default=json_default, ascii_only=False)
        return
    say(f"{thousands(count)} texts are held")
    for row in rows:
        say("", f"{row['siret']} {row['kind']} · {_why(row)}", f"  {row['text']}")


def _why(row: dict[str, Any]) -> str:
    told = f"{row['held_because']} since {row['held_at']:%Y-%m-%d}"
    asked = f", by {row['ordered_by']}: {row['reason']}" if row["ordered_by"] else ""
    return f"{told}{asked} · written by {row['model']}"
