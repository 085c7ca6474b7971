"""The comparison of a slice's records with the stored rows, by their digests."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from services.writer.slices.decode import Sent
from services.writer.slices.statements import FIND_STALE, RENEW_ETABLISSEMENTS, RENEW_UNITES
from shared.sirene.identifiers import siren_of


@dataclass(frozen=True, slots=True)
class Stale:
    """Records that differ from the stored rows, with all other records of the same keys.

    `new`: the sirets and sirens that have no row. `has_failed`: a record of the slice, stale or
    not, has an open failed item. `only_stamps`: only stamps of rows without a date are stale.
    """

    sent: list[Sent]
    new: frozenset[str]
    has_failed: bool
    only_stamps: bool


def find_stale(connection: Connection, sent: Sequence[Sent], fetched_at: dt.datetime) -> Stale:
    """Compare the records with the stored rows: for each record one probe of each table's key."""
    unites = dict.fromkeys([(siren_of(one.siret), one.unite_hash) for one in sent])
    found = FIND_STALE.run(
        connection,
        {
            "sirets": " ".join([one.siret for one in sent]),
            "etablissement_hashes": " ".join([one.etablissement_hash for one in sent]),
            # Most establishments of a unit come with the same digest of it.
            "sirens": " ".join([siren for siren, _ in unites]),
            "unite_hashes": " ".join([unite_hash for _, unite_hash in unites]),
            "fetched_at": fetched_at,
        },
    ).one()
    new = frozenset(found.new_sirets).union(found.new_sirens)
    sirens = new.union(found.changed_sirens, found.aged_sirens)
    sirets = new.union(found.changed_sirets, found.aged_sirets)
    return Stale(
        [one for one in sent if one.siret in sirets or siren_of(one.siret) in sirens]
        if sirets or sirens
        else [],
        new,
        found.has_failed,
        only_stamps=not (new or found.changed_sirets or found.changed_sirens),
    )


def renew_stamps(connection: Connection, sent: Sequence[Sent], fetched_at: dt.datetime) -> None:
    """Write nothing but the new stamps: the stamp is the version of a row without a date."""
    if not sent:
        return
    for statement, rows in (
        (RENEW_UNITES, dict.fromkeys((one.siren, one.unite_hash) for one in sent)),
        (RENEW_ETABLISSEMENTS, dict.fromkeys((one.siret, one.etablissement_hash) for one in sent)),
    ):
        statement.run(
            connection,
            {
                "keys": " ".join([key for key, _ in rows]),
                "hashes": " ".join([digest for _, digest in rows]),
                "fetched_at": fetched_at,
            },
        )
