"""A stand-in for GitLab, for the demo and the tests; production is GitLab Omnibus.

It behaves like ``gitlab/gitlab-ce`` as far as this collection uses it: the same ``gitlab.rb``,
REST API, OmniAuth sign-in, git over HTTP and web addresses. What it leaves out answers 404.
"""

VERSION = "18.11.2"
REVISION = "57a4d1e6b2f"
