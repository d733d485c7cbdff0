#!/bin/sh
# Inside the image: a learner's first start while GitLab does not answer, and what is around them.
set -eux
atelier-start jupyterhub-singleuser --version
cd /home/learner/demo
test -f notebooks/pi_python.ipynb
test "$(git remote get-url origin)" = https://gitlab.example.org/u1/demo.git
test "$(git config user.name)" = 'Élodie "E" Martin'
test "$(git config user.email)" = u1@example.org
test -z "$(git status --porcelain)"
grep -q 'GitLab ne répond pas' /home/learner/A_LIRE-READ_ME.md
# A password is never asked for on the terminal: the desk is the only source, and it is not there.
GIT_TERMINAL_PROMPT=1 git credential fill < /verify/inside/question.txt 2> /tmp/said && exit 1
grep -q "told us to quit" /tmp/said
# What must not be there, and what a learner cannot do.
if command -v node || command -v npm; then exit 1; fi
if touch /opt/jupyter/x 2> /dev/null; then exit 1; fi
test "$(id -un):$(id -gn):$(id -u)" = learner:learner:2000000
test "$(bash -c 'echo ~')" = /home/learner
locale -a | grep -qx fr_FR.utf8
