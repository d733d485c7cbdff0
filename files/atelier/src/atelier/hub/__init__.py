"""JupyterHub's configuration and plug-ins."""
