"""Importing this registers every page; the first that fits an address wins."""

from gitlab_standin.web import signing_in, people, code, editing  # isort: skip

__all__ = ["code", "editing", "people", "signing_in"]
