"""LTI 1.1 and 1.3 protocol: messages, keys, tokens, grades. Nothing here knows JupyterHub."""
