"""All tables of the desk's database.

A change here needs a revision in ``migrations/versions`` that makes the same change to existing
databases (CONTRIBUTING.md, "A change of the desk's database"); a test compares the two.

No table contains secrets.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Integer, MetaData, String, Table, Text, text

REVISION = "0001"
"""The newest revision in ``migrations/versions``; it produces these tables."""

# Migrations address constraints by name. Primary keys have no name because the first databases had
# none.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)

spaces = Table(
    "spaces",
    metadata,
    Column("username", String, primary_key=True),
    Column("course", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("email", String, nullable=False),
    Column("state", String, nullable=False),  # asked | ready
    Column("project", String, nullable=False, default=""),
    Column("url", String, nullable=False, default=""),
    Column("branch", String, nullable=False, default=""),
    Column("reason", String, nullable=False, default=""),
    Column("checked", Float, nullable=False, default=0.0),
)
# Servers to which git credentials were issued.
lent = Table(
    "lent",
    metadata,
    Column("username", String, primary_key=True),
    Column("course", String, primary_key=True),
)
# Servers whose git credentials must still be revoked.
revocations = Table(
    "revocations",
    metadata,
    Column("username", String, primary_key=True),
    Column("course", String, primary_key=True),
)
# The platform's address for the grade of a learner's exercise.
arrivals = Table(
    "arrivals",
    metadata,
    Column("username", String, primary_key=True),
    Column("course", String, primary_key=True),
    Column("exercise", String, primary_key=True),
    Column("consumer", String, nullable=False),
    Column("outcome_url", String, nullable=False, default=""),
    Column("sourcedid", String, nullable=False, default=""),
    Column("services", JSON),
    Column("at", Float, nullable=False),
)
people = Table(
    "people",
    metadata,
    Column("username", String, primary_key=True),
    Column("course", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("staff", Boolean, nullable=False),
    # Key of the consumer or registration of the latest launch; empty: not recorded.
    Column("consumer", String, nullable=False, server_default=text("''")),
)
attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String, nullable=False, index=True),
    Column("course", String, nullable=False, index=True),
    Column("exercise", String, nullable=False),
    Column("commit", String, nullable=False),
    Column("committed", String, nullable=False),
    Column("checked", Float, nullable=False),
    Column("digest", String, nullable=False),
    Column("score", Float, nullable=False),
    Column("comparison", Text),  # stored for the latest attempt only
)
# Answers that must be compared again at a teacher's request.
rechecks = Table(
    "rechecks",
    metadata,
    Column("username", String, primary_key=True),
    Column("course", String, primary_key=True),
    Column("exercise", String, primary_key=True),
)
grades = Table(
    "grades",
    metadata,
    Column("username", String, primary_key=True),
    Column("course", String, primary_key=True),
    Column("exercise", String, primary_key=True),
    Column("score", Float, nullable=False),
    Column("sent", Float),  # score that the platform has
    Column("sent_at", Float),
    Column("tries", Integer, nullable=False, default=0),
    Column("due", Float, nullable=False),
    Column("reason", String, nullable=False, default=""),
)
