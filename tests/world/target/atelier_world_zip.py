"""Keep what Python compiles from zip files, in a folder that all targets share.

Each task brings Ansible's libraries in an archive of its own, and Python compiles them again for
each: a third of a small module's time. What runs is the same code.
"""

import _imp
import marshal
import os
import zipimport
from _frozen_importlib_external import _RAW_MAGIC_NUMBER

POOL = os.environ.get("ATELIER_WORLD_BYTECODE", "/var/cache/atelier-world/bytecode")
_compile = zipimport._compile_source


def _kept(path, source):
    """Return the code of a file in an archive, as `zipimport` compiles it."""
    kept = f"{POOL}/{_imp.source_hash(_RAW_MAGIC_NUMBER, source).hex()}-{len(source)}"
    try:
        with open(kept, "rb") as file:  # noqa: PTH123 (pathlib would be imported at each start)
            code = marshal.loads(file.read())  # noqa: S302 (written below)
        _imp._fix_co_filename(code, path)  # tracebacks name the archive of the task
    except (OSError, EOFError, ValueError, TypeError):
        code = _compile(path, source)
        _keep(kept, code)
    return code


def _keep(kept, code):
    """Write it whole, or not: the folder may be another user's."""
    partial = f"{kept}.{os.urandom(4).hex()}"
    try:
        with open(partial, "xb") as file:  # noqa: PTH123
            file.write(marshal.dumps(code))
        os.replace(partial, kept)  # noqa: PTH105
    except OSError:
        pass


if os.path.isdir(POOL):  # noqa: PTH112
    zipimport._compile_source = _kept
