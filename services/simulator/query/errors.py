class QueryError(ValueError):
    """Raised when INSEE would answer 400; the text is the message of its header."""


class QuerySyntaxError(QueryError):
    """Raised when `q` cannot be read, or names what cannot be named there."""

    def __init__(self, query: str) -> None:
        super().__init__(f"Erreur de syntaxe dans le paramètre q={query}")


class ReversedRangeError(QueryError):
    """Raised when a range ends before it begins; `low` and `high` as INSEE would print them."""

    def __init__(self, low: str, high: str) -> None:
        super().__init__(f"Erreur de syntaxe, ordre incorrect dans l'intervalle : {low} TO {high}")
