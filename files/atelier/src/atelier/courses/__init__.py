"""Courses on the server: publication of their commits, and destinations of links into a course.

Steps of a commit, each implemented by :mod:`atelier.courses.publish`:

- ``pull`` fetches it into the staging repository, ``<state>/pipeline/<slug>.git``;
- ``check`` applies :mod:`atelier.courses.rules` to it;
- ``publish`` pushes it to GitLab, moves the mirror, ``<state>/templates/<slug>.git``, and writes
  ``<slug>.json`` beside it for the hub.

``<state>/pipeline/<slug>.json`` has the result. :mod:`atelier.cli.course` is the command.
"""
