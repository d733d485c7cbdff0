"""Grades on their way back to the course platform: queued durably, sent once for each change."""
