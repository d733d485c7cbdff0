"""The desk's pages: sign-in through the hub, a common layout, forms with CSRF protection."""
