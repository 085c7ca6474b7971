"""`avis show`: everything that is known about the texts of one establishment."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine, text

from services.reviewer.judging import PENDING
from services.reviewer.register import read_subjects
from shared.errors import UserError

_AVIS = text("""
    SELECT id, kind, outcome, text, label, digital_source_type, model, prompt_version, facts_hash,
           accepted_facts_hash, accepted_at, published_at, lease_until
    FROM avis WHERE siret = :siret ORDER BY id
""")

_ATTEMPTS = text("""
    SELECT attempted_at, provider, model, prompt_version, accepted, reasons, tokens_in, tokens_out,
           tokens_cached, cost_eur, latency_seconds, text
    FROM avis_attempts WHERE avis_id = :avis_id ORDER BY id
""")


def read_avis(engine: Engine, siret: str) -> list[dict[str, Any]]:
    """One object for each page and kind: row, facts (None for what is not due) and attempts.

    Raises UserError where the establishment has no avis.
    """
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(_AVIS, {"siret": siret}).mappings()]
        if not rows:
            raise UserError(f"no avis for the establishment {siret}: is it imported?")
        subjects = read_subjects(connection, [row["id"] for row in rows])
        for row in rows:
            subject = subjects.get(row["id"])
            writable = subject is not None and subject.outcome(sole_traders=True) == PENDING
            row["facts"] = asdict(subject.facts) if subject is not None and writable else None
            attempts = connection.execute(_ATTEMPTS, {"avis_id": row["id"]}).mappings()
            row["attempts"] = [dict(attempt) for attempt in attempts]
    return rows


def render_avis(avis: Mapping[str, Any]) -> RenderableType:
    """Names come from strangers: they are shown as text, never read as markup."""
    parts: list[RenderableType] = [_facts_table(avis["facts"] or {})]
    if avis["text"] is not None:
        shown = Text.assemble(avis["text"], "\n\n", (avis["label"] or "", "italic dim"))
        parts.append(Panel(shown, title="text"))
    parts.append(_attempts_table(avis["attempts"]))
    return Panel(Group(*parts), title=f"{avis['kind']} {avis['id']} · {avis['outcome']}")


def _facts_table(facts: Mapping[str, object]) -> Table:
    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        if value is not None:
            table.add_row(Text(name, style="dim"), Text(str(value)))
    return table


def _attempts_table(attempts: list[dict[str, Any]]) -> Table:
    table = Table("attempted at", "model", "prompt", "verdict", "ms", "tokens", "€", box=None)
    for attempt in attempts:
        table.add_row(
            f"{attempt['attempted_at']:%Y-%m-%d %H:%M:%S}",
            attempt["model"],
            attempt["prompt_version"],
            "accepted" if attempt["accepted"] else ", ".join(attempt["reasons"]),
            f"{attempt['latency_seconds'] * 1000:.1f}",
            f"{attempt['tokens_in']} + {attempt['tokens_out']}" if attempt["provider"] else "",
            f"{attempt['cost_eur']:.6f}" if attempt["provider"] else "",
        )
    return table
