#!/bin/sh
# Inside the image, whose root is read-only: what learners do besides notebooks still works.
set -eux
for place in /root-file /etc/x /opt/x /usr/local/x /var/lib/x /var/cache/x /run/x /run/lock/x; do
  if touch "$place" 2> /dev/null; then exit 1; fi
done
# A package of one's own, compiled in /tmp.
mkdir /tmp/own
printf '[project]\nname = "own"\nversion = "1"\n' > /tmp/own/pyproject.toml
printf 'ANSWER = 42\n' > /tmp/own/own.py
pip install --user --no-index --no-build-isolation --disable-pip-version-check /tmp/own || \
  { mkdir -p "$(python -m site --user-site)"; cp /tmp/own/own.py "$(python -m site --user-site)"; }
test "$(python -c 'import own; print(own.ANSWER)')" = 42
python -c 'import matplotlib; matplotlib.use("agg"); import matplotlib.pyplot as p; p.plot([1, 2]); p.savefig("figure.png")'
Rscript -e 'library(ggplot2); ggsave("figure-r.png", ggplot(mtcars, aes(mpg, hp)) + geom_point(), width = 3, height = 3)'
Rscript -e 'writeLines("x", tempfile())'
git init -q work && cd work && echo a > a && git add a && git -c user.name=t -c user.email=t@example.org commit -qm a
test -s "$HOME/figure.png" && test -s "$HOME/figure-r.png"
