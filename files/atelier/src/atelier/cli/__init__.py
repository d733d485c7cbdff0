"""The server's commands: one module for each entry point of pyproject.toml."""
