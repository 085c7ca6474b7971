"""Pages as readers see them, made of whole rows, and those that the log says have changed."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

# Nobody is shown these: stamps, digests, and INSEE's own dates of treatment.
_SHOWN = text("""
    SELECT p.siret, CAST(jsonb_build_array(
      to_jsonb(p) - ARRAY['opened_at', 'closed_at'],
      to_jsonb(e) - CAST(:hidden AS text[]),
      to_jsonb(u) - CAST(:hidden AS text[]),
      EXISTS (SELECT FROM oppositions o WHERE o.siren = p.siren),
      (SELECT jsonb_agg(to_jsonb(h) - CAST(:hidden AS text[]) ORDER BY h.rang)
        FROM periodes_etablissements h WHERE h.siret = p.siret),
      (SELECT jsonb_agg(to_jsonb(t) - 'kind' ORDER BY t.kind) FROM avis_published t
        WHERE t.siret = p.siret),
      (SELECT jsonb_object_agg(r.slug, r.to_siret) FROM page_redirects r
        WHERE r.siret = p.siret AND r.to_siret IS NOT NULL)) AS text) AS shown
    FROM pro_localisations p LEFT JOIN etablissements e ON e.siret = p.siret
    LEFT JOIN unites_legales u ON u.siren = p.siren
""")
_HIDDEN = [
    "date_dernier_traitement",
    *("changement_etat_administratif", "changement_enseigne", "changement_denomination_usuelle"),
    *("changement_activite_principale", "changement_caractere_employeur"),
    *("content_hash", "fetched_at", "updated_at", "buried"),
]
_NOTED = text("SELECT siret, kind FROM page_changes ORDER BY xid")


def shown(*engines: Engine) -> dict[str, str]:
    """Return what the page of each siret shows."""
    found: dict[str, str] = {}
    for engine in engines:
        with engine.connect() as connection:
            rows = connection.execute(_SHOWN, {"hidden": _HIDDEN})
            found |= {row.siret: row.shown for row in rows}
    return found


def noted(*engines: Engine) -> dict[str, str]:
    """Return the last kind of change that the log has of each siret."""
    found: dict[str, str] = {}
    for engine in engines:
        with engine.connect() as connection:
            found |= {row.siret: row.kind for row in connection.execute(_NOTED)}
    return found


@contextmanager
def watched(*engines: Engine) -> Iterator[dict[str, str]]:
    """Assert that the log has those pages, and no other, that show something else afterwards.

    What it has is in the dictionary then.
    """
    before = shown(*engines)
    for engine in engines:
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM page_changes"))
    found: dict[str, str] = {}
    yield found
    after = shown(*engines)
    found |= noted(*engines)
    changed = {s for s in {*before, *after} if before.get(s) != after.get(s)}
    assert found.keys() == changed, (found, sorted(changed))
