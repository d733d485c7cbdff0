"""The desk: prepares spaces and issues short-lived git credentials.

The only process that holds GitLab's administrator token.
"""
