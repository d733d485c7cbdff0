"""Imported by each Python of a playbook run: modules keep what is compiled of their archives."""

import atelier_world_zip  # type: ignore[import-not-found]  # noqa: F401
