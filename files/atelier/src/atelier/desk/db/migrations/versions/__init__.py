"""One module for each revision of the desk's database. A released one is never edited."""
