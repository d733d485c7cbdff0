"""Checks of exercises: what a course declares, and how an answer is compared.

``exercises``, ``engine`` (with the modules it calls) and ``reveal`` are pure functions. Only
``runner`` has side effects: it runs each comparison in a separate process. No module here depends
on GitLab or on the pages.
"""
