"""Codes that were unknown and that this release knows: their pages get labels and texts."""

from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy import Connection, Engine, text

from services.writer.erasure.tombstones import hold_unites
from services.writer.pages.pages import renew_pages
from services.writer.slices.statements import CREATE_NEW
from shared.db.connections.deadlines import lift_limit
from shared.sirene.identifiers import siren_of
from shared.sirene.reference import known_codes

log = structlog.get_logger()

_ROWS = 500
_NOTED = text("SELECT field, code FROM unknown_codes ORDER BY field, code")
_FORGET = text("DELETE FROM unknown_codes WHERE field = :field AND code = ANY(:codes)")
_NEXT = text("""
    SELECT e.siret FROM etablissements e JOIN unites_legales u USING (siren)
    WHERE e.siret > :after AND e.etat_administratif = 'A'
      AND (e.activite_principale = ANY(:activite_principale)
        OR e.tranche_effectifs = ANY(:tranche_effectifs)
        OR e.code_commune = ANY(:code_commune)
        OR u.categorie_juridique = ANY(:categorie_juridique))
    ORDER BY e.siret LIMIT :rows
""")
_TOLD = ("activite_principale", "tranche_effectifs", "code_commune", "categorie_juridique")


def renew_learned(control: Engine, shards: Sequence[Engine], *, sole_traders: bool) -> int:
    """Renew the pages with codes that were unknown once; return their number.

    A process that is killed in between begins again. Two processes do the same work twice.
    """
    known = known_codes()
    learned: dict[str, list[str]] = {}
    with control.connect() as connection:
        for field, code in connection.execute(_NOTED):
            if code in known.get(field, ()):
                learned.setdefault(field, []).append(code)
    renewed = 0
    if not learned.keys().isdisjoint(_TOLD):
        renewed = sum(_renew(shard, learned, sole_traders=sole_traders) for shard in shards)
    if learned:
        with control.begin() as connection:
            for field, codes in learned.items():
                connection.execute(_FORGET, {"field": field, "codes": codes})
        log.info("codes are known now", codes=sum(map(len, learned.values())), pages=renewed)
    return renewed


def _renew(shard: Engine, learned: Mapping[str, Sequence[str]], *, sole_traders: bool) -> int:
    codes = {name: list(learned.get(name, ())) for name in _TOLD}
    renewed, after = 0, ""
    while True:
        with shard.begin() as connection:
            sirets = _next(connection, codes, after)
            if not sirets:
                return renewed
            hold_unites(connection, sorted(set(map(siren_of, sirets))))
            connection.execute(CREATE_NEW)
            renew_pages(connection, sirets=sirets, sirens=[], sole_traders=sole_traders)
        renewed, after = renewed + len(sirets), sirets[-1]


def _next(connection: Connection, codes: Mapping[str, list[str]], after: str) -> list[str]:
    # It looks through the register once, and only after a release that brings new codes.
    lift_limit(connection)
    return list(connection.execute(_NEXT, {**codes, "after": after, "rows": _ROWS}).scalars())
