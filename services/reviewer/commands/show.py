"""The command `avis show`: the texts of one establishment, with facts and attempts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy import Engine, text

from services.reviewer.commands.databases import databases
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.reviews.quotability import reasons_against_quoting
from services.reviewer.texts.subjects import AvisSubject, fact_lines
from shared.avis import PENDING, WITH_TEXT, AvisOutcome
from shared.controls import shown, shown_json, shown_lines
from shared.errors import UserError
from shared.money.amounts import json_default
from shared.sharding import route
from shared.sirene.identifiers import is_siret, siren_of
from shared.terminal.cli import print_json, say
from shared.terminal.console import Console

# Nobody understands the activity yet, but the establishment may be written about.
_WRITABLE = frozenset({PENDING, AvisOutcome.NOT_UNDERSTOOD})
_AVIS = """
    SELECT id, siret, kind, outcome, text, label, digital_source_type, model, prompt_version,
      facts_hash, accepted_facts_hash, accepted_at, held_because, held_at, published_at, lease_until
    FROM avis WHERE {condition} ORDER BY id
"""
_OF_SIRET = text(_AVIS.format(condition="siret = :wanted"))
_THESE = text(_AVIS.format(condition="id = ANY(:wanted)"))
_PUBLISHED = text("SELECT json_ld FROM avis_published WHERE siret = :siret ORDER BY kind")
_ORDERS = text("""
    SELECT verb, ordered_by, reason, override, ordered_at, status, refusal, done_at
    FROM avis_orders WHERE siret = :siret AND kind = :kind ORDER BY id
""")
# An establishment may be named « </script> ».
_IN_SCRIPT = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&"})
_ATTEMPTS = text("""
    SELECT attempted_at, provider, model, prompt_version, accepted, reasons, tokens_in,
           tokens_out, tokens_cached, cost_eur, unanswered, latency_seconds, text
    FROM avis_attempts WHERE avis_id = :avis_id ORDER BY id
""")


def show(
    siret: Annotated[str, typer.Argument(help="SIRET of the establishment; spaces may stay.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON array instead of tables.")
    ] = False,
    as_json_ld: Annotated[
        bool,
        typer.Option("--json-ld", help="Print JSON-LD for a web page, with label and provenance."),
    ] = False,
) -> None:
    """Show facts, text, label, outcome and attempts of an establishment's avis.

    Example: ./sirenade avis show 55210055400013
    """
    digits = "".join(siret.split())
    if not is_siret(digits):
        raise UserError("a SIRET has 14 digits")
    with databases() as opened:
        engine = opened.shards[route(siren_of(digits), len(opened.shards))]
        found = read_avis(engine, opened.contexts, digits)
        works = read_published(engine, digits) if as_json_ld else []
    if not found:
        raise UserError(f"no avis for the establishment {digits}: is it imported?")
    if as_json_ld:
        say(shown_json(json.dumps(works, ensure_ascii=False)).translate(_IN_SCRIPT))
    elif as_json:
        print_json(found, default=json_default, ascii_only=False)
    else:
        console = Console()
        for one in found:
            console.print(render_avis(one))


def read_published(engine: Engine, siret: str) -> list[dict[str, Any]]:
    """Return the JSON-LD of each text that a web page may show."""
    with engine.connect() as connection:
        return list(connection.scalars(_PUBLISHED, {"siret": siret}))


def read_avis(
    engine: Engine, contexts: ContextReader, wanted: str | Sequence[int]
) -> list[dict[str, Any]]:
    """Return one object for each avis of a SIRET or of ids: row, facts, sources and attempts.

    The facts are None when nobody may write about the establishment. Ids of other shards are left
    out.
    """
    statement = _OF_SIRET if isinstance(wanted, str) else _THESE
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(statement, {"wanted": wanted}).mappings()]
    subjects = contexts.subjects(engine, [row["id"] for row in rows])
    with engine.connect() as connection:
        for row in rows:
            subject = subjects.get(row["id"])
            writable = subject is not None and subject.outcome(sole_traders=True) in _WRITABLE
            row["facts"] = asdict(subject.facts) if subject is not None and writable else None
            row["sources"] = _reviews(subject) if subject is not None and writable else []
            attempts = connection.execute(_ATTEMPTS, {"avis_id": row["id"]}).mappings()
            row["attempts"] = [dict(attempt) for attempt in attempts]
            about = {"siret": row["siret"], "kind": row["kind"]}
            row["orders"] = list(map(dict, connection.execute(_ORDERS, about).mappings()))
    return rows


def _reviews(subject: AvisSubject) -> list[dict[str, Any]]:
    """Return the reviews of a synthese; `not_quotable` has a code for each reason not to quote."""
    return [
        each.columns() | {"not_quotable": reasons_against_quoting(each, subject.facts)}
        for each in subject.sources or ()
    ]


def render_avis(avis: Mapping[str, Any]) -> RenderableType:
    """Draw an avis. Strangers chose the names: they are shown as text, never as markup."""
    beside = Table.grid(Column(ratio=1), Column(ratio=1), padding=(0, 2), expand=True)
    beside.add_row(_facts_table(avis["facts"] or {}), _text_of(avis))
    parts: list[RenderableType] = [beside, _attempts_table(avis["attempts"])]
    parts += [
        Text(
            shown(
                f"{attempt['attempted_at']:%H:%M:%S} {', '.join(attempt['reasons'])}: "
                f"{attempt['text'] or 'no text'}"
            ),
            style="dim",
        )
        for attempt in avis["attempts"]
        if attempt["reasons"]
    ]
    parts += [Text(shown(_told(order)), style="dim") for order in avis["orders"]]
    parts += map(_review_line, avis["sources"])
    return Panel(Group(*parts), title=f"{avis['kind']} {avis['id']} · {avis['outcome']}")


def _told(order: Mapping[str, Any]) -> str:
    end = f" ({order['refusal']})" if order["refusal"] else ""
    return (
        f"{order['ordered_at']:%Y-%m-%d %H:%M} {order['verb']} by {order['ordered_by']}: "
        f"{order['reason']}; {order['status']}{end}"
    )


def _review_line(review: Mapping[str, Any]) -> Text:
    reasons = review["not_quotable"]
    verdict = f"not quotable, {', '.join(reasons)}" if reasons else "quotable"
    told = f"review of {review['published_on']}, {review['url']}: {verdict}"
    return Text(shown(told), style="dim")


def _text_of(avis: Mapping[str, Any]) -> RenderableType:
    if avis["text"] is None:
        return Text("no text", style="dim")
    title = f"text of {avis['accepted_at']:%Y-%m-%d}"
    if avis["outcome"] in WITH_TEXT - {AvisOutcome.ACCEPTED}:
        title += ", until its successor is accepted"
    if avis["held_because"] is not None:
        title += f", held since {avis['held_at']:%Y-%m-%d}: {avis['held_because']}"
    words, label = shown_lines(avis["text"]), shown(avis["label"] or "")
    return Panel(Text.assemble(words, "\n\n", (label, "italic dim")), title=title)


def _facts_table(facts: Mapping[str, object]) -> Table:
    # Values fold, so that a narrow terminal cuts nothing off.
    table = Table(*(Column(overflow="fold") for _ in range(2)), show_header=False, box=None)
    for name, words in fact_lines(facts).items():
        table.add_row(Text(name, style="dim"), Text(shown(words)))
    return table


def _attempts_table(attempts: list[dict[str, Any]]) -> Table:
    table = Table(box=None)
    table.add_column("attempted at", min_width=len("2026-11-23"))
    for name in ("by", "prompt", "verdict"):
        table.add_column(name, overflow="fold")
    for name in ("tokens in (cached)", "out", "€", "ms"):
        table.add_column(name, justify="right", overflow="fold")
    for attempt in attempts:
        # The names of provider and model may hold markup.
        author = Text(shown(" ".join(filter(None, (attempt["provider"], attempt["model"])))))
        cached = f" ({attempt['tokens_cached']})" if attempt["tokens_cached"] else ""
        bill = (
            f"{attempt['tokens_in']}{cached}",
            str(attempt["tokens_out"]),
            ("≤ " if attempt["unanswered"] else "") + f"{round(attempt['cost_eur'], 6):f}",
        )
        table.add_row(
            f"{attempt['attempted_at']:%Y-%m-%d %H:%M:%S}",
            author,
            Text(shown(attempt["prompt_version"])),
            "accepted" if attempt["accepted"] else "rejected",
            *(bill if attempt["provider"] is not None else ("", "", "")),
            f"{attempt['latency_seconds'] * 1000:.1f}",
        )
    return table
