"""Repairs as their command orders them."""

from sqlalchemy import Engine

from shared.imports.repairs import RepairOrder, order_repair


def repair(engine: Engine, *, certificate_id: int | None, of_run: int | None) -> RepairOrder:
    with engine.begin() as connection:
        return order_repair(connection, certificate_id=certificate_id, of_run=of_run)
