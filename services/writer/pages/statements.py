"""SQL of the pro_localisations, made from the names of their columns."""

from services.writer.sql.names import columns, fields_of
from services.writer.sql.prepared import Prepared
from shared.sirene.pages import ETABLISSEMENT_FACTS, UNITE_FACTS
from shared.sirene.records import Page

PAGE_FIELDS = fields_of(Page)
NEW_PAGE_FIELDS = (*PAGE_FIELDS, "outcome", "facts_hash")

# No siret may belong to one of the sirens: it would be read twice. `made` are sirets of these units
# that need not be read.
READ_SUBJECTS = Prepared(
    "read_subjects",
    f"""
    SELECT EXISTS (SELECT FROM pro_localisations p WHERE p.siret = e.siret),
      EXISTS (SELECT FROM oppositions o WHERE o.siren = e.siren),
      {columns(ETABLISSEMENT_FACTS, "e.")}, {columns(UNITE_FACTS, "u.")}
    FROM (
      SELECT {columns(ETABLISSEMENT_FACTS)}
      FROM unnest(string_to_array(:sirets, ' ')) AS siret JOIN etablissements USING (siret)
      UNION ALL
      SELECT {columns(ETABLISSEMENT_FACTS)}
      FROM unnest(string_to_array(:sirens, ' ')) AS siren JOIN etablissements USING (siren)
      WHERE siret NOT IN (SELECT unnest(string_to_array(:made, ' ')))) e
    JOIN unites_legales u ON u.siren = e.siren
    ORDER BY e.siret
    """,
)
