#!/bin/sh
# Inside the image: the learner's disk is full, and Jupyter starts all the same and says so.
set -eux
mkdir -p "$HOME/.config/atelier"
head -c 65536 /dev/zero > "$HOME/.config/atelier/reserve"
dd if=/dev/zero of="$HOME/big" bs=1k 2> /dev/null || true
atelier-start jupyterhub-singleuser --version
test "$(stat -c %s "$HOME/big")" -gt 100000
grep -q 'Votre espace disque est plein' "$HOME/A_LIRE-READ_ME.md"
! ls -d "$HOME"/.atelier-clone-*
