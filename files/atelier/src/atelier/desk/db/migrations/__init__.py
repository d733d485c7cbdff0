"""Alembic's environment for the desk's database; :mod:`atelier.desk.db.upgrade` runs it."""
