"""Jupyter's settings for learners; the hub's spawner adds its own on the command line."""

import sys

sys.path.append("/opt/atelier/lib")

c = get_config()  # noqa: F821 - given by Jupyter

c.ServerApp.root_dir = "/home/learner"
c.ServerApp.default_url = "/lab"
c.ServerApp.terminals_enabled = True
c.ContentsManager.allow_hidden = False

# A full space is told in words.
c.ServerApp.contents_manager_class = "atelier_notebook.contents.Contents"

# A home has no trash can: "delete" deletes, and gives the space back.
c.FileContentsManager.delete_to_trash = False

# Signatures of notebooks are for the trust of their HTML, and are made again as cells run. In a
# file of the home, a disk that was full once would keep notebooks from being saved even after it
# has room again.
c.NotebookNotary.db_file = ":memory:"

# No calls to the outside: no news, no update checks, no extension store.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"

# Loaded by everybody, used by nobody here: there are no language servers in the image, and
# comparing notebooks is not a learner's button. The gate waits for the clone.
c.ServerApp.jpserver_extensions = {
    "atelier_notebook.gate": True,
    "jupyter_lsp": False,
    "nbdime": False,
}
