"""Absences: stored sirets that INSEE, asked by number, no longer lists, and their pages.

A page closes at once where INSEE says 301, the number is a duplicate, or 403, it may not be shown.
A 404 closes it when it is said on a second day. The writer leaves such a page closed until a newer
record comes (`services.writer.pages`).
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from shared.avis import RESET
from shared.days import TIME_ZONE
from shared.db.days import MIDNIGHT
from shared.sirene.identifiers import is_siret, siren_of

_TODAY = f"(now() AT TIME ZONE '{TIME_ZONE}')::date"

# One that closed a page which is open again came back, and went again.
_ASK_FOR = text("""
    INSERT INTO absences (siret, siren)
    SELECT siret, siren FROM pro_localisations
    WHERE (siret = ANY(:sirets) OR siren = ANY(:sirens)) AND status = 'open'
    ORDER BY siret
    ON CONFLICT (siret) DO UPDATE SET answer = NULL, target = NULL, first_seen_on = NULL,
      asked_at = NULL, page_closed_at = NULL
    WHERE absences.page_closed_at IS NOT NULL
""")
# The claim is the stamp: one that a kill cuts short is asked for on the next day.
_TAKE = text(f"""
    WITH today AS (
      SELECT count(*) AS asked FROM absences WHERE asked_at >= {MIDNIGHT}),
    due AS (
      SELECT siret FROM absences
      WHERE asked_at IS NULL
        OR page_closed_at IS NULL AND asked_at < {MIDNIGHT}
        OR asked_at < now() - interval '30 days'
      ORDER BY asked_at NULLS FIRST, siret
      LIMIT CASE WHEN (SELECT asked FROM today) < :per_day THEN 1 ELSE 0 END
      FOR UPDATE SKIP LOCKED)
    UPDATE absences SET asked_at = now() FROM due WHERE absences.siret = due.siret
    RETURNING absences.siret
""")
# Slices and erasures of the unit wait, as they do for one another.
_HOLD = text("""
    SELECT 1 FROM unites_legales WHERE siren = ANY(:sirens) ORDER BY siren FOR NO KEY UPDATE
""")
_NOTE = text(f"""
    INSERT INTO absences (siret, siren, answer, target, first_seen_on, asked_at)
    SELECT siret, siren, :answer, :target, {_TODAY}, now() FROM etablissements WHERE siret = :siret
    ON CONFLICT (siret) DO UPDATE SET answer = excluded.answer, target = excluded.target,
      first_seen_on = coalesce(absences.first_seen_on, excluded.first_seen_on),
      asked_at = excluded.asked_at
    RETURNING answer <> 'unknown' OR first_seen_on < {_TODAY}
""")
_CLOSE = text(f"""
    WITH kept AS (
      UPDATE absences SET page_closed_at = coalesce(page_closed_at, now()) WHERE siret = :siret),
    pages AS (
      UPDATE pro_localisations SET status = 'closed', closed_at = now()
      WHERE siret = :siret AND status = 'open')
    UPDATE avis SET outcome = 'cancelled', {RESET} WHERE siret = :siret AND outcome = 'pending'
""")
_LEAD_ON = text("""
    WITH old AS (UPDATE page_redirects SET to_siret = :target WHERE siret = :siret)
    INSERT INTO page_redirects (slug, siret, siren, to_siret)
    SELECT slug, siret, siren, :target FROM pro_localisations WHERE siret = :siret
    ON CONFLICT (slug) DO NOTHING
""")
_CLOSE_EXTRA = text(f"""
    WITH pages AS (
      UPDATE pro_localisations p SET status = 'closed', closed_at = now()
      WHERE p.siret = ANY(:sirets) AND p.status = 'open' AND (p.siret = ANY(:unlisted)
        OR NOT EXISTS (SELECT FROM etablissements e WHERE e.siret = p.siret))
      RETURNING p.siret)
    UPDATE avis SET outcome = 'cancelled', {RESET} FROM pages
    WHERE avis.siret = pages.siret AND avis.outcome = 'pending'
""")
_FORGET = text("DELETE FROM absences WHERE siret = :siret")
# It is due at once until it is forgotten: a kill before the order loses nothing. One that was
# never closed is a surplus of a certificate: its row tells another place or code than INSEE does.
_IS_BACK = text("UPDATE absences SET asked_at = NULL WHERE siret = :siret RETURNING siret")
# The next record counts as changed, and the writer makes the page of it.
_LEAD_BACK = text("""
    WITH own AS (
      DELETE FROM page_redirects r USING pro_localisations p
      WHERE p.siret = :siret AND r.slug = p.slug),
    old AS (
      UPDATE page_redirects r SET to_siret = NULL FROM pro_localisations p
      WHERE r.siret = :siret AND p.siret = r.siret AND p.slug <> r.slug)
    UPDATE etablissements SET content_hash = '' WHERE siret = :siret
""")


def ask_for(
    connection: Connection, *, sirets: Sequence[str] = (), sirens: Sequence[str] = ()
) -> None:
    """Note the establishments with an open page among these, to be asked for by number."""
    connection.execute(_ASK_FOR, {"sirets": list(sirets), "sirens": list(sirens)})


def take_due(connection: Connection, *, per_day: int) -> str | None:
    """Return a siret to ask for now, `per_day` at most in a French day, and stamp it as asked."""
    siret: str | None = connection.execute(_TAKE, {"per_day": per_day}).scalar()
    return siret


def record_absence(
    connection: Connection, siret: str, answer: str, *, target: str | None = None
) -> bool:
    """Keep the answer to a stored siret: `moved`, `withheld` or `unknown`.

    Return whether its page is closed by it. A slug of the page leads to the establishment that a
    moved one became.
    """
    connection.execute(_HOLD, {"sirens": [siren_of(siret)]})
    noted = {"siret": siret, "answer": answer, "target": target}
    if not connection.execute(_NOTE, noted).scalar():
        return False
    connection.execute(_CLOSE, {"siret": siret})
    if target is not None and is_siret(target):
        connection.execute(_LEAD_ON, {"siret": siret, "target": target})
    return True


def close_extra_pages(
    connection: Connection, sirets: Sequence[str], *, unlisted: Sequence[str]
) -> None:
    """Close the open pages of these that have no stored row, or that are unlisted at INSEE."""
    if sirets:
        connection.execute(_HOLD, {"sirens": sorted(set(map(siren_of, sirets)))})
        pages = {"sirets": list(sirets), "unlisted": list(unlisted)}
        connection.execute(_CLOSE_EXTRA, pages)


def record_presence(connection: Connection, siret: str) -> bool:
    """Note that INSEE lists the siret; return whether it is to be fetched: it was asked for.

    The absence stays until that is ordered: `forget_absence` follows.
    """
    connection.execute(_HOLD, {"sirens": [siren_of(siret)]})
    if connection.execute(_IS_BACK, {"siret": siret}).scalar() is None:
        return False
    connection.execute(_LEAD_BACK, {"siret": siret})
    return True


def forget_absence(connection: Connection, siret: str) -> None:
    """Forget an absence whose establishment is ordered again."""
    connection.execute(_FORGET, {"siret": siret})
