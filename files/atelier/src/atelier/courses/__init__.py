"""Courses on the server: how their commits are published, and what a link into a course may open.

The way of a commit, each step by :mod:`atelier.courses.publish`:

- ``pull`` fetches it into the staging repository, ``<state>/pipeline/<slug>.git``;
- ``check`` applies :mod:`atelier.courses.rules` to it;
- ``publish`` pushes it to GitLab, moves the mirror, ``<state>/templates/<slug>.git``, and writes
  ``<slug>.json`` beside it for the hub.

``<state>/pipeline/<slug>.json`` says how it went. :mod:`atelier.cli.course` is the command.
"""
