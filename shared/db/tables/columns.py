"""Frequent kinds of columns: each function makes columns of one kind from their names."""

import datetime as dt
from dataclasses import fields
from functools import partial
from types import NoneType
from typing import Any, get_args

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY


def columns(
    kind: Any,
    *names: str,
    required: bool = False,
    key: bool = False,
    unique: bool = False,
    default: str | None = None,
) -> list[Column[Any]]:
    """Make a column of this kind for each name; `default` is SQL, and its column is required."""
    return [
        Column(
            name,
            kind,
            primary_key=key,
            nullable=not (required or key or default),
            unique=unique or None,
            server_default=sql(default) if default else None,
        )
        for name in names
    ]


text = partial(columns, Text)
texts = partial(columns, ARRAY(Text))
boolean = partial(columns, Boolean)
smallint = partial(columns, SmallInteger)
integer = partial(columns, Integer)
bigint = partial(columns, BigInteger)
counter = partial(columns, BigInteger, default="0")
double = partial(columns, Double)
# The eighth decimal is a tenth of a token at ten cents a million.
euros = partial(columns, Numeric(16, 8), default="0")
date = partial(columns, Date)
# INSEE's dates have no offset; an instant is one of our clock.
insee_time = partial(columns, DateTime)
instant = partial(columns, DateTime(timezone=True))
instant_now = partial(instant, default="now()")
binary = partial(columns, LargeBinary)
uuid = partial(columns, Uuid)


def own_id() -> Column[int]:
    """Make the column `id`, which PostgreSQL numbers."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def reference(name: str, target: str, *, required: bool = True) -> Column[int]:
    """Make a foreign key to a column `id`."""
    return Column(name, BigInteger, ForeignKey(target), nullable=not required)


def one_of(
    name: str, *values: str, default: str | None = None, nullable: bool = False
) -> Column[str]:
    """Make a column that holds one of these values."""
    quoted = ", ".join(f"'{value}'" for value in values)
    check = CheckConstraint(f"{name} IN ({quoted})", name=name)
    return Column(name, Text, check, nullable=nullable, server_default=default)


_KINDS = {
    str: text,
    bool: boolean,
    int: smallint,
    float: double,
    dt.date: date,
    dt.datetime: insee_time,
}


def of_record(record: type, *, key: str | None = None) -> list[Column[Any]]:
    """Make the columns of a dataclass of `shared.sirene.records`; an optional field may be null."""
    made = []
    for field in fields(record):
        types = get_args(field.type) or (field.type,)
        made += _KINDS[types[0]](
            field.name,
            key=field.name == key,
            required=NoneType not in types,
            default="false" if field.default is False else None,
        )
    return made
