"""The facts that the register has now, beside those that a text was made of."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, text

from shared.avis import WITHDRAWN, AvisOutcome
from shared.days import TIME_ZONE
from shared.sirene.facts import as_told, said
from shared.sirene.pages import avis_outcome, facts_of
from shared.texts.subject_rows import SUBJECT_COLUMNS, records_of

_SUBJECT = text(f"""
    SELECT oppositions.siren IS NOT NULL AS opposed,
      (now() AT TIME ZONE '{TIME_ZONE}')::date AS today, {SUBJECT_COLUMNS}
    FROM pro_localisations
    JOIN etablissements ON etablissements.siret = pro_localisations.siret
    JOIN unites_legales ON unites_legales.siren = pro_localisations.siren
    LEFT JOIN oppositions ON oppositions.siren = pro_localisations.siren
    WHERE pro_localisations.siret = :siret
""")


def present_facts(shard: Connection, siret: str) -> Mapping[str, Any] | None:
    """Return what a text of today may tell, as attempts keep it, without its context.

    Return None where nothing may be told of the establishment.
    """
    row = shard.execute(_SUBJECT, {"siret": siret}).mappings().one_or_none()
    if row is None:
        return None
    columns = {str(name): value for name, value in row.items()}
    etablissement, unite, page = records_of(columns)
    outcome: AvisOutcome = avis_outcome(
        etablissement, unite, page.status, opposed=columns["opposed"], sole_traders=True
    )
    if outcome in WITHDRAWN:
        return None
    facts = as_told(facts_of(etablissement, unite, page), columns["today"])
    told: Mapping[str, Any] = orjson.loads(orjson.dumps(said(dataclasses.asdict(facts))))
    return told
