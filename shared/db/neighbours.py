"""The key under which neighbours' texts are compared: one activity in one commune."""


def neighbourhood(page: str) -> str:
    """SQL: 32 bits of the activity and commune of `page`, a row of pro_localisations.

    Two places with one key only compare a few texts more.
    """
    key = f"{page}.activite_principale || ' ' || {page}.code_commune"
    return f"('x' || left(md5({key}), 8))::bit(32)::int"
