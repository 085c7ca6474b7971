"""The command `avis whose`: was this text ours, and which one."""

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import text

from services.reviewer.commands.databases import databases
from services.reviewer.commands.orders import read_words
from shared.money.amounts import json_default
from shared.terminal.cli import EXIT_BROKEN_PROMISE, AsJson, print_json, say

# The function normalises as the stored digests do.
_OURS = text("""
    SELECT a.siret, a.kind, t.attempted_at, t.provider, t.model, t.prompt_version, t.accepted,
      coalesce(t.text = a.text, false) AS is_present
    FROM avis_attempts t JOIN avis a ON a.id = t.avis_id
    WHERE t.text_digest = avis_text_digest(:words)
    ORDER BY t.id
""")


def whose(
    file: Annotated[Path, typer.Argument(help="File of the text; - is the standard input.")],
    as_json: AsJson = False,
) -> None:
    """Say whether a text was made here, for which establishment, when and by what.

    Texts that were replaced or refused count, erased ones do not. Spaces, apostrophes and hyphens
    may differ. Status 1: no such text.

    Example: ./sirenade avis whose text.txt
    """
    words = read_words(file)
    found: list[dict[str, Any]] = []
    with databases() as opened:
        for engine in opened.shards:
            with engine.connect() as connection:
                found += map(dict, connection.execute(_OURS, {"words": words}).mappings())
    if as_json:
        print_json(found, default=json_default, ascii_only=False)
    elif not found:
        say("not ours: no text that is kept here has these words")
    else:
        for each in found:
            say(_line(each))
    if not found:
        raise typer.Exit(EXIT_BROKEN_PROMISE)


def _line(row: dict[str, Any]) -> str:
    verdict = "accepted" if row["accepted"] else "refused"
    now = ", the present text" if row["is_present"] else ""
    by = " ".join(filter(None, (row["provider"], row["model"], row["prompt_version"])))
    when = f"{row['attempted_at']:%Y-%m-%d %H:%M:%S}"
    return f"ours: {row['kind']} of {row['siret']}, {when}, by {by}, {verdict}{now}"
