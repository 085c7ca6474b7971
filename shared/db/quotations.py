"""The end of reviews, and of what syntheses quote of them, wherever their words are kept.

Reviews are withdrawn, changed by their authors, kept no longer, or no longer allowed. One list of
places, for reviewer, writer and operator.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from shared.avis import RESET, RESET_WITHOUT_TEXT

UNKNOWN_RETENTION_DAYS = 1825
"""Days for which a withdrawn review stays out that nothing is known of but its address."""

# An import holds the table, too, before its rows: it ends before, or finds the tombstone.
_HOLD_WITHDRAWN = text("LOCK TABLE withdrawn_reviews IN EXCLUSIVE MODE")
# The site would have shown the review, and a file could bring it, until `keep_until`.
_WITHDRAW = text("""
    WITH gone AS (
      DELETE FROM sources WHERE url = :url
      RETURNING siret, digest, coalesce(published_on + retention_days, :until) AS keep_until),
    tombstones AS (
      INSERT INTO withdrawn_reviews AS w (digest, url_digest, keep_until)
      SELECT digest, CAST(:url_digest AS bytea), keep_until FROM gone
      UNION ALL SELECT :url_digest, :url_digest,
        greatest(:until, (SELECT max(keep_until) FROM gone))
      ON CONFLICT (digest) DO UPDATE SET
        url_digest = excluded.url_digest, keep_until = greatest(w.keep_until, excluded.keep_until))
    SELECT siret FROM gone
""")
_READMIT = text("DELETE FROM withdrawn_reviews WHERE url_digest = :url_digest")
_EXPIRE = text("""
    DELETE FROM sources WHERE published_on + retention_days < :today RETURNING siret
""")
_FORGET = text("DELETE FROM withdrawn_reviews WHERE keep_until < :today")
# In the order of the table; the claim finds out who must not be written about.
_MAKE_DUE = text(f"""
    INSERT INTO avis (pro_localisation_id, siret, siren, kind, outcome, facts_hash)
    SELECT p.id, p.siret, p.siren, 'synthese', 'pending', 'sources'
    FROM pro_localisations p
    WHERE p.siret = ANY(:sirets) AND p.status = 'open'
    ORDER BY p.id
    ON CONFLICT (pro_localisation_id, kind) DO UPDATE SET
      outcome = 'pending', {RESET}
""")
# A page that is closed meanwhile gets its outcome from the reviewer, as every avis that is due.
_ERASE = text(f"""
    WITH found AS (
      SELECT id FROM avis WHERE siret = ANY(:sirets) AND kind = 'synthese'
      ORDER BY id FOR UPDATE),
    texts AS (
      UPDATE avis SET
        outcome = CASE outcome WHEN 'accepted' THEN 'pending' ELSE outcome END, {RESET_WITHOUT_TEXT}
      FROM found WHERE avis.id = found.id AND avis.text IS NOT NULL),
    attempts AS (
      UPDATE avis_attempts SET text = NULL
      FROM found WHERE avis_id = found.id AND text IS NOT NULL),
    orders AS (
      -- People tell in them what they think of the quotation.
      DELETE FROM avis_orders WHERE siret = ANY(:sirets) AND kind = 'synthese')
    UPDATE failed_items SET payload = NULL, message = 'erased'
    WHERE kind = 'review' AND key IN (SELECT id::text FROM found)
      AND (payload IS NOT NULL OR message <> 'erased')
""")


def erase_quotations(connection: Connection, sirets: Iterable[str]) -> None:
    """Take the syntheses of these establishments away, with the texts of their attempts.

    What the attempts were and what was said against them stays.
    """
    wanted = sorted(set(sirets))
    if wanted:
        connection.execute(_ERASE, {"sirets": wanted})


def make_due(connection: Connection, sirets: Iterable[str]) -> None:
    """Make the syntheses of these establishments due; without a source they are taken back."""
    connection.execute(_MAKE_DUE, {"sirets": sorted(set(sirets))})


def withdraw(connection: Connection, url: str, today: dt.date) -> int:
    """Delete the reviews of this address with what quotes them, and keep them out from now on.

    Return their number. What is left is counted and quoted anew. A tombstone holds no content.
    """
    connection.execute(_HOLD_WITHDRAWN)
    until = today + dt.timedelta(days=UNKNOWN_RETENTION_DAYS)
    values = {"url": url, "url_digest": url_digest(url), "until": until}
    return _renew(connection, connection.execute(_WITHDRAW, values).scalars().all())


def readmit(connection: Connection, url: str) -> int:
    """Let the reviews of this address come back with the next import; return what kept them out."""
    return connection.execute(_READMIT, {"url_digest": url_digest(url)}).rowcount


def expire(connection: Connection, today: dt.date) -> int:
    """Delete the reviews that their site keeps no longer, with what quotes them; return how many.

    An import refuses them by their age: they leave no tombstone, and old ones go.
    """
    connection.execute(_FORGET, {"today": today})
    return _renew(connection, connection.execute(_EXPIRE, {"today": today}).scalars().all())


def url_digest(url: str) -> bytes:
    """Return the digest that stands for a review's address among the withdrawn ones."""
    return hashlib.blake2b(f"url\0{url.strip()}".encode(), digest_size=16).digest()


def _renew(connection: Connection, sirets: Sequence[str]) -> int:
    erase_quotations(connection, sirets)
    make_due(connection, sirets)
    return len(sirets)
