"""Create the tables of the first version with revisions, or bring an older database to them.

Earlier versions created missing tables when they started and stored no revision, so each step first
checks whether it is needed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A copy of tables.py at that version: this revision must not change when that file does.
_metadata = sa.MetaData()
sa.Table(
    "spaces",
    _metadata,
    sa.Column("username", sa.String, primary_key=True),
    sa.Column("course", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("email", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("project", sa.String, nullable=False),
    sa.Column("url", sa.String, nullable=False),
    sa.Column("branch", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("checked", sa.Float, nullable=False),
)
sa.Table(
    "lent",
    _metadata,
    sa.Column("username", sa.String, primary_key=True),
    sa.Column("course", sa.String, primary_key=True),
)
sa.Table(
    "revocations",
    _metadata,
    sa.Column("username", sa.String, primary_key=True),
    sa.Column("course", sa.String, primary_key=True),
)
sa.Table(
    "arrivals",
    _metadata,
    sa.Column("username", sa.String, primary_key=True),
    sa.Column("course", sa.String, primary_key=True),
    sa.Column("exercise", sa.String, primary_key=True),
    sa.Column("consumer", sa.String, nullable=False),
    sa.Column("outcome_url", sa.String, nullable=False),
    sa.Column("sourcedid", sa.String, nullable=False),
    sa.Column("services", sa.JSON),
    sa.Column("at", sa.Float, nullable=False),
)
sa.Table(
    "people",
    _metadata,
    sa.Column("username", sa.String, primary_key=True),
    sa.Column("course", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("staff", sa.Boolean, nullable=False),
    sa.Column("consumer", sa.String, nullable=False, server_default=""),
)
sa.Table(
    "attempts",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("username", sa.String, nullable=False, index=True),
    sa.Column("course", sa.String, nullable=False, index=True),
    sa.Column("exercise", sa.String, nullable=False),
    sa.Column("commit", sa.String, nullable=False),
    sa.Column("committed", sa.String, nullable=False),
    sa.Column("checked", sa.Float, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("comparison", sa.Text),
)
sa.Table(
    "rechecks",
    _metadata,
    sa.Column("username", sa.String, primary_key=True),
    sa.Column("course", sa.String, primary_key=True),
    sa.Column("exercise", sa.String, primary_key=True),
)
sa.Table(
    "grades",
    _metadata,
    sa.Column("username", sa.String, primary_key=True),
    sa.Column("course", sa.String, primary_key=True),
    sa.Column("exercise", sa.String, primary_key=True),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("sent", sa.Float),
    sa.Column("sent_at", sa.Float),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("due", sa.Float, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
)


def upgrade() -> None:
    """Apply the revision."""
    connection = op.get_bind()
    # Addresses from which servers' tokens were first used; the hub provides them now.
    connection.execute(sa.text("DROP TABLE IF EXISTS seats"))
    _metadata.create_all(connection)
    for table in _metadata.tables.values():
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    _note_consumers(connection)


def _note_consumers(connection: sa.Connection) -> None:
    """Add the column ``people.consumer``, filled from each person's latest row in ``arrivals``."""
    columns = sa.inspect(connection).get_columns("people")
    if any(column["name"] == "consumer" for column in columns):
        return
    connection.execute(
        sa.text("ALTER TABLE people ADD COLUMN consumer VARCHAR DEFAULT '' NOT NULL")
    )
    connection.execute(
        sa.text(
            "UPDATE people SET consumer = COALESCE((SELECT arrivals.consumer FROM arrivals"
            " WHERE arrivals.username = people.username AND arrivals.course = people.course"
            " ORDER BY arrivals.at DESC LIMIT 1), '')"
        )
    )
