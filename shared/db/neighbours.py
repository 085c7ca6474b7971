"""The key of neighbours, whose texts are compared: one activity in one commune."""


def neighbourhood(page: str) -> str:
    """Return SQL for 32 bits of activity and commune of `page`, a row of pro_localisations.

    Where two places happen to have one key, a few texts more are compared.
    """
    key = f"{page}.activite_principale || ' ' || {page}.code_commune"
    return f"('x' || left(md5({key}), 8))::bit(32)::int"
