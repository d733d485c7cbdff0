"""Jupyter's settings for learners; the hub's spawner adds its own on the command line."""

import sys

sys.path.append("/opt/atelier/lib")

c = get_config()  # noqa: F821 - given by Jupyter

c.ServerApp.root_dir = "/home/learner"
c.ServerApp.default_url = "/lab"
c.ServerApp.terminals_enabled = True
c.ContentsManager.allow_hidden = False

# Explain a full space in words.
c.ServerApp.contents_manager_class = "atelier_notebook.contents.Contents"

# No trash can: deleting a file frees its space.
c.FileContentsManager.delete_to_trash = False

# Signatures of notebooks, which mark their HTML as trusted, are made again when cells run. In a
# file in the home, they could keep notebooks from being saved after the disk was full once, even
# when there is room again.
c.NotebookNotary.db_file = ":memory:"

# No requests to external hosts: no news, no update checks, no extension store.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"

# Turn off extensions that are not used: the image has no language servers, and
# learners have no button to compare notebooks. The gate waits for the clone.
c.ServerApp.jpserver_extensions = {
    "atelier_notebook.gate": True,
    "jupyter_lsp": False,
    "nbdime": False,
}
