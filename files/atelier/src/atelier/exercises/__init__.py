"""Checks of exercises: what a course declares, and how an answer is compared.

Rules are pure functions (``exercises``, ``engine`` and what it calls, ``reveal``); the one edge is
``runner``, which gives each comparison a process of its own. Nothing here knows GitLab or a page.
"""
