#!/bin/sh
# Inside the image, whose root is read-only: what learners do besides notebooks still works.
set -eux
for place in /root-file /etc/x /opt/x /usr/local/x /var/lib/x /var/cache/x /run/x /run/lock/x; do
  if touch "$place" 2> /dev/null; then exit 1; fi
done
# A package of one's own, which pip unpacks in /tmp.
python - << 'MAKE'
from zipfile import ZipFile
with ZipFile("/tmp/own-1-py3-none-any.whl", "w") as wheel:
    wheel.writestr("own.py", "ANSWER = 42\n")
    wheel.writestr("own-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: own\nVersion: 1\n")
    wheel.writestr("own-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr("own-1.dist-info/RECORD", "")
MAKE
pip install --quiet --no-index --disable-pip-version-check --target "$HOME/lib" /tmp/own-1-py3-none-any.whl
test "$(PYTHONPATH=$HOME/lib python -c 'import own; print(own.ANSWER)')" = 42
python3 -m venv --without-pip "$HOME/env"
"$HOME/env/bin/python" -c 'import sys; assert sys.prefix.endswith("/env")'
python -c 'import matplotlib; matplotlib.use("agg"); import matplotlib.pyplot as p; p.plot([1, 2]); p.savefig("figure.png")'
Rscript -e 'library(ggplot2); ggsave("figure-r.png", ggplot(mtcars, aes(mpg, hp)) + geom_point(), width = 3, height = 3)'
Rscript -e 'writeLines("x", tempfile())'
git init -q work && cd work && echo a > a && git add a && git -c user.name=t -c user.email=t@example.org commit -qm a
test -s "$HOME/figure.png" && test -s "$HOME/figure-r.png"
