"""The values by which INSEE lists an establishment, as SQL."""


def listed(column: str, etablissement: str) -> str:
    """Return SQL for the value of the newest period, by which INSEE answers a query.

    The row shows the period of today, and the newest may lie ahead. Nearly no establishment has a
    turn: `IN` is hashed once for a statement.
    """
    return f"""CASE WHEN {etablissement}.siret IN (SELECT siret FROM turns)
      THEN (SELECT p.{column} FROM periodes_etablissements p
        WHERE p.siret = {etablissement}.siret ORDER BY p.rang DESC LIMIT 1)
      ELSE {etablissement}.{column} END"""
