"""The parts that tables share: names of constraints, and frequent kinds of columns."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity, MetaData, Text, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NOW = text("now()")


def instant(name: str, *, nullable: bool = True, default_now: bool = False) -> Column[object]:
    """Make a column for an instant of our clock; INSEE's dates have no offset: plain `DateTime`."""
    return Column(
        name,
        DateTime(timezone=True),
        nullable=nullable and not default_now,
        server_default=NOW if default_now else None,
    )


def own_id() -> Column[int]:
    """Make the column `id`, which PostgreSQL numbers."""
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def one_of(
    name: str, *values: str, default: str | None = None, nullable: bool = False
) -> Column[str]:
    """Make a column that holds one of these values."""
    quoted = ", ".join(f"'{value}'" for value in values)
    check = CheckConstraint(f"{name} IN ({quoted})", name=name)
    return Column(name, Text, check, nullable=nullable, server_default=default)


def counter(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]
