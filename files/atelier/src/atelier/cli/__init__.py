"""Commands of the server: one module for each entry point of pyproject.toml."""
