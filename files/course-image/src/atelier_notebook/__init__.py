"""What a course image runs besides Jupyter: start-up, git credentials, the smoke test.

The programs use Python's standard library only and run on the system's own interpreter, so that
nothing a learner or a course installs can keep a server from starting. The one exception is
`smoke`, which talks to kernels and therefore runs in Jupyter's virtual environment.
"""
