"""Importing this registers every page."""

from gitlab_standin.web import code, editing, passwords, people, signing_in

__all__ = ["code", "editing", "passwords", "people", "signing_in"]
