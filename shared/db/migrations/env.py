"""Alembic's entry: runs on the connection that `shared.db.migrate` opened."""

from alembic import context

from shared.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
