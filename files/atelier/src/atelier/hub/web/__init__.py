"""JupyterHub handlers: LTI launches, deep linking, registration, sign-out and diagnosis."""
