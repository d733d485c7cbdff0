"""Courses on the server: their mirrors, and what a link into a course may open."""
