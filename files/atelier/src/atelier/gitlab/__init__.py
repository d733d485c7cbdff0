"""GitLab's API, as the desk uses it. Several modules are links to the collection's module_utils."""
