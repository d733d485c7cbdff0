"""Importing this registers every page."""

from gitlab_standin.web import code, editing, people, signing_in

__all__ = ["code", "editing", "people", "signing_in"]
