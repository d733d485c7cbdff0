"""The desk's pages: sign-in through the hub, one look, forms that only their own page can send."""
