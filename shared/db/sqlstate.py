"""The SQLSTATE of an error, and the conclusions from its class."""

from sqlalchemy.exc import DBAPIError

_ROW_CLASSES = (
    "22",  # data exception
    "23",  # integrity constraint violation
)


def sqlstate(error: BaseException) -> str:
    """Return the error's SQLSTATE; empty where the connection was lost before there was one."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "pgcode", None) or ""


def blames_row(error: BaseException) -> bool:
    """Return whether a row is at fault: the same row would be refused again."""
    return sqlstate(error).startswith(_ROW_CLASSES)
