"""The way to declare a table, and its columns: each function makes those of one kind."""

import datetime as dt
from dataclasses import fields
from functools import partial
from types import NoneType
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(
    name: str, *parts: sa.schema.SchemaItem | list[sa.Column[Any]], fillfactor: int | None = None
) -> sa.Table:
    """Declare a table with these columns, constraints and indexes, in their order."""
    items = [item for part in parts for item in (part if isinstance(part, list) else [part])]
    storage = {"fillfactor": fillfactor} if fillfactor else {}
    return sa.Table(name, metadata, *items, postgresql_with=storage)


def columns(
    kind: Any,
    *names: str,
    required: bool = False,
    key: bool = False,
    unique: bool = False,
    default: str | None = None,
) -> list[sa.Column[Any]]:
    """Make a column of this kind for each name; `default` is SQL, and its column is required."""
    return [
        sa.Column(
            name,
            kind,
            primary_key=key,
            nullable=not (required or key or default),
            unique=unique or None,
            server_default=sa.text(default) if default else None,
        )
        for name in names
    ]


text = partial(columns, sa.Text)
texts = partial(columns, ARRAY(sa.Text))
boolean = partial(columns, sa.Boolean)
smallint = partial(columns, sa.SmallInteger)
integer = partial(columns, sa.Integer)
bigint = partial(columns, sa.BigInteger)
bigints = partial(columns, ARRAY(sa.BigInteger))
counter = partial(columns, sa.BigInteger, default="0")
double = partial(columns, sa.Double)
# The eighth decimal is a tenth of a token at ten cents a million.
euros = partial(columns, sa.Numeric(16, 8), default="0")
date = partial(columns, sa.Date)
# INSEE's dates have no offset; an instant is one of our clock.
insee_time = partial(columns, sa.DateTime)
instant = partial(columns, sa.DateTime(timezone=True))
instant_now = partial(instant, default="now()")
binary = partial(columns, sa.LargeBinary)
uuid = partial(columns, sa.Uuid)


def own_id() -> sa.Column[int]:
    """Make the column `id`, which PostgreSQL numbers."""
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def reference(name: str, target: str, *, required: bool = True) -> sa.Column[int]:
    """Make a foreign key to a column `id`."""
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(target), nullable=not required)


def one_of(
    name: str, *values: str, default: str | None = None, nullable: bool = False
) -> sa.Column[str]:
    """Make a column that holds one of these values."""
    quoted = ", ".join(f"'{value}'" for value in values)
    check = sa.CheckConstraint(f"{name} IN ({quoted})", name=name)
    return sa.Column(name, sa.Text, check, nullable=nullable, server_default=default)


def of_record(record: type, *, key: str | None = None) -> list[sa.Column[Any]]:
    """Make the columns of a dataclass of `shared.sirene.records`; an optional field may be null."""
    kinds = {str: text, bool: boolean, int: smallint, float: double}
    kinds |= {dt.date: date, dt.datetime: insee_time}
    made = []
    for field in fields(record):
        types = get_args(field.type) or (field.type,)
        default = "false" if field.default is False else None
        make, required = kinds[types[0]], NoneType not in types
        made += make(field.name, key=field.name == key, required=required, default=default)
    return made
