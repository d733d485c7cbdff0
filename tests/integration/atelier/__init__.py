"""The hub, its proxy, the desk and the stand-in for GitLab, run together as processes."""
