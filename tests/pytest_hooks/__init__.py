"""What this project adds to pytest; `tests/conftest.py` loads it."""
