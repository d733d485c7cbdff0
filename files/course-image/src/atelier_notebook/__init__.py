"""The programs of a course image besides Jupyter: start-up, git credentials, smoke test.

They use Python's standard library only and run on the system's interpreter, so that packages
which a learner or a course installs cannot keep a server from starting. The only exception is
`smoke`, which talks to kernels and therefore runs in Jupyter's virtual environment.
"""
