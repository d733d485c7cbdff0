"""`make dev`: a site on this machine's loopback interface that follows changes of its code.

`world/dev.py` looks at what the machine has and hands over to `python -m devsite`.
"""
