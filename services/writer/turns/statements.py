"""SQL of the turns: periods that lie ahead are kept beside the row, and enter it on their day.

`:on` is the day whose state the rows show. `shared.sirene.mapping.periods` has the same rules in
Python.
"""

from sqlalchemy import text

from services.writer.sql.names import columns, excluded
from shared.sirene.dates import FIRST_DAY, LAST_DAY
from shared.sirene.mapping.insee_keys import PERIODE_ETABLISSEMENT
from shared.sirene.records import SIGN_FIELDS

# The columns of an establishment that belong to its period.
_TEXTS = tuple(PERIODE_ETABLISSEMENT)
VALUES = ("date_debut", *_TEXTS)


def _plausible(day: str) -> str:
    return f"CASE WHEN {day} BETWEEN '{FIRST_DAY}' AND '{LAST_DAY}' THEN {day} END"


def start(period: str, etablissement: str) -> str:
    """Return the first day of a period; both parameters are aliases of rows."""
    first, other = f"{period}.date_debut", f"{etablissement}.date_creation"
    return f"coalesce({_plausible(first)}, {_plausible(other)})"


def is_early(row: str) -> str:
    """Return the condition that a row of the register shows a period that lies ahead."""
    return f"({row}.etat_administratif IS NOT NULL AND coalesce({start(row, row)} > :on, false))"


DUE = text("SELECT siret FROM turns WHERE day <= :on ORDER BY day, siret LIMIT :rows")
# Another process may have turned some of them before their units were locked.
STILL_DUE = text("""
    SELECT siret FROM turns WHERE day <= :on AND siret = ANY(:sirets) ORDER BY siret
""")

# A stock file gives the newest period alone, without its place among the others.
_KEEP = f"""
    INSERT INTO periodes_etablissements AS o (siret, siren, rang, {columns(VALUES)})
    SELECT e.siret, e.siren, (
        SELECT coalesce(max(p.rang) FILTER (WHERE p.date_debut = e.date_debut), max(p.rang) + 1, 0)
        FROM periodes_etablissements p WHERE p.siret = e.siret),
      {columns(VALUES, "e.")}
    FROM {{rows}}
    ORDER BY e.siret
    ON CONFLICT (siret, rang) DO UPDATE SET {excluded(VALUES)}
    WHERE ({columns(VALUES, "o.")}) IS DISTINCT FROM ({columns(VALUES, "excluded.")})
"""
KEEP_EARLY = text(
    _KEEP.format(rows=f"etablissements e WHERE e.siret = ANY(:sirets) AND {is_early('e')}")
)

# Before a closing, the establishment is open, and its first period began with it. Nobody knows what
# came before another period: nothing is said of it.
_IS_CLOSING = (
    f"(e.etat_administratif = 'F' AND NOT coalesce({_plausible('e.date_creation')} > :on, false))"
)
_BEFORE = {
    "etat_administratif": f"CASE WHEN {_IS_CLOSING} THEN 'A' END",
    "date_debut": f"CASE WHEN {_IS_CLOSING} AND e.nombre_periodes <= 2 THEN e.date_creation END",
} | {
    name: f"CASE WHEN {_IS_CLOSING} THEN e.{name} END"
    for name in _TEXTS
    if name != "etat_administratif"
}
# The newest period that has begun enters the row, unless the row is newer than the periods.
BRING = text(f"""
    UPDATE etablissements e SET updated_at = now(),
      {
    ", ".join(
        f"{name} = CASE WHEN f.is_known THEN f.{name} ELSE {_BEFORE[name]} END" for name in VALUES
    )
}
    FROM (
      SELECT e.siret, p.siret IS NOT NULL AS is_known, {columns(VALUES, "p.")}
      FROM etablissements e LEFT JOIN LATERAL (
        SELECT p.* FROM periodes_etablissements p
        WHERE p.siret = e.siret AND coalesce({start("p", "e")} <= :on, true)
        ORDER BY p.rang DESC LIMIT 1) p ON true
      WHERE e.siret = ANY(:sirets) AND ({is_early("e")}
        OR p.siret IS NOT NULL
          AND (e.date_debut IS NULL OR {start("p", "e")} > {start("e", "e")}))) f
    WHERE e.siret = f.siret
""")

# The next period of each establishment; without one its turn is over.
MOVE_ON = text(f"""
    WITH next AS (
      SELECT p.siret, min({start("p", "e")}) AS day
      FROM periodes_etablissements p JOIN etablissements e USING (siret)
      WHERE p.siret = ANY(:sirets) AND {start("p", "e")} > :on
      GROUP BY p.siret),
    moved AS (UPDATE turns t SET day = n.day FROM next n WHERE t.siret = n.siret)
    DELETE FROM turns t
    WHERE t.siret = ANY(:sirets) AND NOT EXISTS (SELECT FROM next n WHERE n.siret = t.siret)
""")

# ── Rows of a stock file, before they are merged into the register ──

_NOTE = """
    INSERT INTO turns AS o (siret, day)
    SELECT e.siret, {day} FROM {rows} ORDER BY e.siret
    ON CONFLICT (siret) DO UPDATE SET day = least(o.day, excluded.day)
"""
# Until their day the stored rows stay as they are.
_AHEAD = (
    f"stock_due e JOIN etablissements s USING (siret) WHERE {is_early('e')}"
    f" AND s.etat_administratif IS NOT NULL AND NOT {is_early('s')}"
)
KEEP_AHEAD = text(_KEEP.format(rows=_AHEAD))
NOTE_AHEAD = text(_NOTE.format(day=start("e", "e"), rows=_AHEAD))
# A row that turns P does not get back the name that INSEE masks.
POSTPONE_AHEAD = text(f"""
    UPDATE stock_due n SET {
    ", ".join(
        f"{name} = CASE WHEN n.statut_diffusion = 'O' THEN f.{name} ELSE n.{name} END"
        if name in SIGN_FIELDS
        else f"{name} = f.{name}"
        for name in VALUES
    )
}
    FROM (SELECT e.siret, {columns(VALUES, "s.")} FROM {_AHEAD}) f
    WHERE n.siret = f.siret
""")
# Nobody knows what holds until then: these are turned once they are stored.
NOTE_DUE = text(_NOTE.format(day=":on", rows=f"stock_due e WHERE {is_early('e')}"))
# A newer row takes back the days ahead that it does not tell.
DROP_OVERTAKEN = text(f"""
    DELETE FROM periodes_etablissements p USING turns t, stock_due e
    WHERE e.siret = t.siret AND p.siret = t.siret AND {start("p", "e")} > :on
""")

# ── Rows of a stock file that fills an empty register ──

# All turns are those of its chunks.
MAKE_DUE = text("UPDATE turns SET day = :on WHERE day > :on")
