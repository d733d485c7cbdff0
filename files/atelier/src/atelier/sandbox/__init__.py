"""Runs learners' files and teachers' tests in throw-away containers of the course's image."""
