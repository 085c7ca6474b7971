"""The metadata of all tables, and the way to declare a table."""

from typing import Any

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(
    name: str, *parts: SchemaItem | list[Column[Any]], fillfactor: int | None = None
) -> Table:
    """Declare a table with these columns, constraints and indexes, in their order."""
    items = [item for part in parts for item in (part if isinstance(part, list) else [part])]
    storage: dict[str, Any] = (
        {} if fillfactor is None else {"postgresql_with": {"fillfactor": fillfactor}}
    )
    return Table(name, metadata, *items, **storage)
