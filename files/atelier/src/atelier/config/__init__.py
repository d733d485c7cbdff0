"""The site's configuration: models of its files, the files that are reloaded, credentials."""
