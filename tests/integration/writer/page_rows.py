"""The pages of a register and the text of each."""

from typing import Any

from tests.integration.writer.desk import Desk


def pages(desk: Desk) -> list[dict[str, Any]]:
    return [dict(row) for row in desk.execute("SELECT * FROM pro_localisations ORDER BY id")]


def redirects(desk: Desk) -> list[tuple[str, str, str | None]]:
    """Return each slug that leads elsewhere, with the siret of its page and that of a duplicate."""
    rows = desk.execute("SELECT slug, siret, to_siret FROM page_redirects ORDER BY slug")
    return [(row["slug"], row["siret"], row["to_siret"]) for row in rows]


def avis_of(desk: Desk) -> dict[str, Any]:
    """Return the only page."""
    return desk.one("SELECT * FROM avis")


def accept(desk: Desk, text: str = "Un texte.") -> None:
    desk.execute(
        """
        UPDATE avis SET outcome = 'accepted', text = :text, label = 'L', model = 'm',
          prompt_version = 'p', digital_source_type = 'algorithmicMedia',
          accepted_facts_hash = facts_hash, accepted_at = now()
        WHERE outcome = 'pending'
        """,
        text=text,
    )
    desk.execute("""
        INSERT INTO avis_attempts (avis_id, siren, model, prompt_version, facts_hash, text,
          accepted, reasons, latency_seconds)
        SELECT id, siren, 'm', 'p', facts_hash, text, true, '{}', 1 FROM avis
    """)
