"""Reads teachers' tests: percent scripts, nbgrader's test cells, otter's test files.

A file of tests is never executed here: Python is read with :mod:`ast`, notebooks with :mod:`json`.
"""
