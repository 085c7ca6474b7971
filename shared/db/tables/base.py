"""The parts that tables share: names of constraints, and frequent kinds of columns."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, MetaData, Text, text

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


def one_of(column: str, *values: str) -> CheckConstraint:
    quoted = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({quoted})", name=column)


def counter(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]
