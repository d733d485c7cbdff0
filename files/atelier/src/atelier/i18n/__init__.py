"""Sentences for learners and teachers, in French and English."""
