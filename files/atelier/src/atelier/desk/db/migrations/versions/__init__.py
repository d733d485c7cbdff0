"""One module for each revision of the desk's database. Never edit a released revision."""
