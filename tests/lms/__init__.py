"""A small course page that imitates an LMS: it signs launches with Open edX's own code.

`python -m lms --bind IP:PORT --config demo.json`, with `tests` on PYTHONPATH. For the demo and the
tests only; TLS ends at the web server in front of it.
"""
