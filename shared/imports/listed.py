"""The values and scopes by which INSEE lists an establishment, as SQL."""


def listed(column: str, etablissement: str) -> str:
    """Return SQL for the value of the newest period, by which INSEE answers a query.

    The row shows the period of today, and the newest may lie ahead. Nearly no establishment has a
    turn: `IN` is hashed once for a statement.
    """
    return f"""CASE WHEN {etablissement}.siret IN (SELECT siret FROM turns)
      THEN (SELECT p.{column} FROM periodes_etablissements p
        WHERE p.siret = {etablissement}.siret ORDER BY p.rang DESC LIMIT 1)
      ELSE {etablissement}.{column} END"""


def in_a_scope(scopes: str, *, has_activite: str, more: str = "true") -> str:
    """Return SQL for whether `etablissements e` is in a scope of the JSON parameter `scopes`.

    `has_activite` tells whether one of `s.activites` is an activity of `e`; a scope `s` without any
    holds all. `more` is a further condition on `s`.
    """
    return f"""EXISTS (
      SELECT FROM json_to_recordset(CAST(:{scopes} AS json)) AS s (departements json, communes json,
        activites json, etat_administratif text, siret_from text, siret_to text)
      WHERE (json_array_length(s.departements) + json_array_length(s.communes) = 0
          OR e.departement IN (SELECT json_array_elements_text(s.departements))
          OR e.code_commune IN (SELECT json_array_elements_text(s.communes)))
        AND (json_array_length(s.activites) = 0 OR {has_activite})
        AND {more}
        AND (s.siret_from IS NULL OR e.siret >= s.siret_from)
        AND (s.siret_to IS NULL OR e.siret <= s.siret_to))"""
