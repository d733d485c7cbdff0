"""Parts of a check: the files it needs, and what running the answer's code gives."""
