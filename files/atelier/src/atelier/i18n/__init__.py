"""Sentences for learners and teachers: one gettext catalogue a language, in ``catalogues``."""
