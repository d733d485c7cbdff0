"""The desk: prepares spaces and hands out short-lived git credentials.

The only process that holds GitLab's administrator token.
"""
