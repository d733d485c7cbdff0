#!/bin/sh
# One script for all of GitLab's commands: the name it is called by decides.
set -eu
export PYTHONPATH=/opt/gitlab/standin/src
python=/opt/gitlab/standin/venv/bin/python
case "${0##*/}" in
  gitlab-rails) exec "$python" -m gitlab_standin.rails "$@" ;;
  gitlab-ctl) exec "$python" -m gitlab_standin.control "$@" ;;
  gitlab-backup) exec "$python" -m gitlab_standin.backup "$@" ;;
  gitlab-healthcheck) exec "$python" -m gitlab_standin.control healthcheck ;;
  *) echo "unknown command: $0" >&2; exit 64 ;;
esac
