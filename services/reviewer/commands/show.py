"""The command `avis show`: the texts of one establishment, with facts and attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection, Engine, text

from services.reviewer.texts.subject_rows import read_subjects
from shared.avis import PENDING
from shared.errors import UserError

_COLUMNS = """id, kind, outcome, text, label, digital_source_type, model, prompt_version,
           facts_hash, accepted_facts_hash, accepted_at, published_at, lease_until"""
_OF_SIRET = text(f"SELECT {_COLUMNS} FROM avis WHERE siret = :siret ORDER BY id")
_THESE = text(f"SELECT {_COLUMNS} FROM avis WHERE id = ANY(:ids) ORDER BY id")

_ATTEMPTS = text("""
    SELECT attempted_at, provider, model, prompt_version, accepted, reasons, tokens_in,
           tokens_out, tokens_cached, cost_eur, latency_seconds, text
    FROM avis_attempts WHERE avis_id = :avis_id ORDER BY id
""")


def read_avis(engine: Engine, siret: str) -> list[dict[str, Any]]:
    """Return one object for each avis: its row, its facts and its attempts.

    The facts are None when nobody may write about the establishment.

    Raises UserError when the establishment has no avis.
    """
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(_OF_SIRET, {"siret": siret}).mappings()]
        if not rows:
            raise UserError(f"no avis for the establishment {siret}: is it imported?")
        return _with_history(connection, rows)


def read_these_avis(engine: Engine, avis_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the same for ids; ids of other shards are left out."""
    with engine.connect() as connection:
        found = connection.execute(_THESE, {"ids": list(avis_ids)}).mappings()
        return _with_history(connection, [dict(row) for row in found])


def _with_history(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    subjects = read_subjects(connection, [row["id"] for row in rows])
    for row in rows:
        subject = subjects.get(row["id"])
        writable = subject is not None and subject.outcome(sole_traders=True) == PENDING
        row["facts"] = asdict(subject.facts) if subject is not None and writable else None
        attempts = connection.execute(_ATTEMPTS, {"avis_id": row["id"]}).mappings()
        row["attempts"] = [dict(attempt) for attempt in attempts]
    return rows


def render_avis(avis: Mapping[str, Any]) -> RenderableType:
    """Draw an avis. Strangers chose the names: they are shown as text, never as markup."""
    beside = Table.grid(padding=(0, 2), expand=True)
    beside.add_column(ratio=1)
    beside.add_column(ratio=1)
    beside.add_row(_facts_table(avis["facts"] or {}), _text_of(avis))
    parts: list[RenderableType] = [beside, _attempts_table(avis["attempts"])]
    parts += [
        Text(
            f"{attempt['attempted_at']:%H:%M:%S} {', '.join(attempt['reasons'])}: "
            f"{attempt['text'] or 'no text'}",
            style="dim",
        )
        for attempt in avis["attempts"]
        if attempt["reasons"]
    ]
    return Panel(Group(*parts), title=f"{avis['kind']} {avis['id']} · {avis['outcome']}")


def _text_of(avis: Mapping[str, Any]) -> RenderableType:
    if avis["text"] is None:
        return Text("no text", style="dim")
    return Panel(
        Text.assemble(avis["text"], "\n\n", (avis["label"] or "", "italic dim")), title="text"
    )


def _facts_table(facts: Mapping[str, object]) -> Table:
    table = Table(show_header=False, box=None)
    # Values fold, so that a narrow terminal cuts nothing off.
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value is not None:
            table.add_row(Text(name, style="dim"), Text(str(value)))
    return table


def _attempts_table(attempts: list[dict[str, Any]]) -> Table:
    table = Table(box=None)
    table.add_column("attempted at", min_width=len("2026-11-23"))
    for name in ("by", "prompt", "verdict"):
        table.add_column(name, overflow="fold")
    for name in ("tokens in (cached)", "out", "€", "ms"):
        table.add_column(name, justify="right", overflow="fold")
    for attempt in attempts:
        table.add_row(
            f"{attempt['attempted_at']:%Y-%m-%d %H:%M:%S}",
            _author(attempt),
            Text(attempt["prompt_version"]),
            "accepted" if attempt["accepted"] else "rejected",
            *(_bill(attempt) if attempt["provider"] is not None else ("", "", "")),
            f"{attempt['latency_seconds'] * 1000:.1f}",
        )
    return table


def _author(attempt: Mapping[str, Any]) -> Text:
    """Name provider and model, as text: they may hold markup."""
    named = [attempt["provider"], attempt["model"]]
    return Text(" ".join(name for name in named if name is not None))


def _bill(attempt: Mapping[str, Any]) -> tuple[str, str, str]:
    cached = f" ({attempt['tokens_cached']})" if attempt["tokens_cached"] else ""
    return (
        f"{attempt['tokens_in']}{cached}",
        str(attempt["tokens_out"]),
        f"{round(attempt['cost_eur'], 6):f}",
    )
