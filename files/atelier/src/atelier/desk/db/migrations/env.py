"""Alembic's environment: applies revisions in the transaction of the given connection."""

from __future__ import annotations

from alembic import context

from atelier.desk.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    compare_server_default=True,
)
context.run_migrations()
