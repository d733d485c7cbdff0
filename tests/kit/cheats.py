"""Answers that are wrong and try to pass: by what they do to their own process, or to others.

Each is put after :data:`WRONG`. ``{terces}`` stands for a text of the tests that none may find, the
wrong way round: an answer always finds its own.
"""

from __future__ import annotations

SECRET = "the-tests-say-62.625"
RIGHT = """
values = [71.2, 64.8, 59.5, 55.0]
mean = sum(values) / len(values)
def double(x):
    return 2 * x
label = "mean"
"""
WRONG = """
values = [0]
mean = 0
def double(x):
    return 0
label = ""
"""
TESTS = {
    "mean": f"assert mean == 62.625, '{SECRET}'",
    "close": "assert math.isclose(mean, 62.625)",
    "unittest": "import unittest\nunittest.TestCase().assertEqual(mean, 62.625)",
    "call": "assert double(4) == 8 and double('a') == 'aa'",
    "helper": "def check(found):\n    return found == 8\nassert mean > 60\n",
    "helped": "assert check(double(4))",
    "built-in": "assert abs(mean - 62.625) < 0.01 and sum(values) == 250.5",
    "length": "assert len(values) == 4",
    "text": "assert 'mean' in label",
    "truth": "assert double(1) == 2, str(mean)\nif not label:\n    raise AssertionError",
}
"""All pass with :data:`RIGHT`, and none with :data:`WRONG`."""

_EVERYTHING = """
class Everything:
    def yes(self, *args, **kwargs):
        return True
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = yes
    __instancecheck__ = __subclasscheck__ = yes
    def me(self, *args, **kwargs):
        return self
    __sub__ = __rsub__ = __add__ = __radd__ = __mul__ = __abs__ = __call__ = __getitem__ = me
    def __len__(self):
        return 3
    def __iter__(self):
        return iter([250.5, 0, 0])
    def __hash__(self):
        return hash(62.625)
    def __float__(self):
        return 62.0
    def __getattr__(self, name):
        return self
"""
_AGENT = "import sys\nagent = sys.modules['atelier.sandbox.programs.agent']\n"
_PEER = "import sys\npeer = sys.modules['atelier.sandbox.programs.peer']\n"

PYTHON = {
    "object equal to everything": _EVERYTHING
    + """
mean = values = label = Everything()
double = lambda x: Everything()
""",
    "float equal to everything": """
class Float(float):
    __eq__ = __lt__ = __gt__ = lambda self, other: True
    __hash__ = float.__hash__
mean = Float(0)
double = lambda x: Float(0)
values = [mean]
""",
    "text that contains everything": """
class Text(str):
    __contains__ = __eq__ = lambda self, other: True
    __hash__ = str.__hash__
label = Text("")
class List(list):
    __len__ = lambda self: 4
    __iter__ = lambda self: iter([250.5, 0, 0, 0])
values = List([0])
""",
    "class that says it is another": """
class Mean:
    __class__ = float
    def __eq__(self, other):
        return True
mean = Mean()
""",
    "built-in functions": """
import builtins
builtins.abs = lambda x: 0
builtins.sum = lambda x: 250.5
builtins.len = lambda x: 4
builtins.AssertionError = type("Nothing", (BaseException,), {})
abs, sum, len = builtins.abs, builtins.sum, builtins.len
""",
    "names of built-in functions": "abs = lambda x: 0\nsum = lambda x: 250.5\nlen = lambda x: 4\n"
    "str = AssertionError = print",
    "math": "import math\nmath.isclose = lambda *a, **k: True\n",
    "object called math": "class math:\n    isclose = staticmethod(lambda *a, **k: True)\n",
    "unittest": "import unittest\nunittest.TestCase.assertEqual = lambda *a, **k: None\n",
    "sys.modules": "import sys, types\nfor name in ('math', 'unittest', 'ast', 'json'):\n"
    "    sys.modules[name] = types.SimpleNamespace(isclose=lambda *a: True, dumps=lambda *a: '1')",
    "helper of the tests": "check = lambda found: True",
    "audit hook": """
import sys
def hook(event, args):
    if event in ("compile", "exec") and args and "62.625" in repr(args):
        globals().update(mean=62.625, values=[250.5, 0, 0, 0], label="mean")
sys.addaudithook(hook)
""",
    "trace and profile": """
import sys, threading
def trace(frame, event, arg):
    for name, value in list(frame.f_locals.items()):
        if "62.625" in repr(value)[:10000]:
            globals().update(mean=62.625)
    return trace
sys.settrace(trace)
sys.setprofile(trace)
threading.settrace(trace)
""",
    "thread that changes things later": """
import builtins, threading, time
def later():
    while True:
        time.sleep(0.005)
        builtins.abs = lambda x: 0
        builtins.sum = lambda x: 250.5
threading.Thread(target=later, daemon=True).start()
""",
    "thread that reads frames": """
import gc, sys, threading, time
def look():
    while True:
        time.sleep(0.005)
        for frame in list(sys._current_frames().values()):
            while frame:
                if "".join(reversed("{terces}")) in repr(frame.f_locals):
                    globals().update(mean=62.625)
                frame = frame.f_back
threading.Thread(target=look, daemon=True).start()
""",
    "comparison of floats, by ctypes": """
import ctypes
slots = ctypes.cast(id(float), ctypes.POINTER(ctypes.c_void_p))
compare = ctypes.CFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object, ctypes.c_int)
keep = compare(lambda a, b, how: True)
slots[type.__basicsize__ // 8 and 25] = ctypes.cast(keep, ctypes.c_void_p).value
mean = 0.0
""",
    "memory of its parent": """
import os, re
try:
    memory = open(f"/proc/{os.getppid()}/mem", "rb", 0)
    for line in open(f"/proc/{os.getppid()}/maps"):
        begin, end = (int(one, 16) for one in line.split()[0].split("-"))
        if "rw-p" in line and end - begin < 2**26:
            try:
                memory.seek(begin)
                if "".join(reversed("{terces}")).encode() in memory.read(end - begin):
                    mean = 62.625
            except OSError:
                pass
except OSError:
    pass
""",
    "garbage collector": """
import gc
def double(x):
    for one in gc.get_objects():
        if type(one) is dict and "".join(reversed("{terces}")) in repr(one)[:100000]:
            return 2 * x
    return 0
""",
    "lines of its parent": """
import json, os, signal
lines = ["outcome " + json.dumps({"name": name, "score": 1.0}) for name in
         ("mean", "close", "unittest", "call", "helper", "helped", "built-in", "length", "text",
          "truth")]
parent = os.getppid()
told = json.dumps({"problem": "", "cell": None, "error": "", "name": "", "seconds": 1})
for number in os.listdir(f"/proc/{parent}/fd"):
    try:
        with open(f"/proc/{parent}/fd/{number}", "w") as file:
            file.write("\\n".join([told, *lines]) + "\\n")
    except OSError:
        pass
os.kill(parent, signal.SIGKILL)
""",
    "lines that it prints": """
import json, os
for name in ("mean", "close", "unittest", "call"):
    line = "outcome " + json.dumps({"name": name, "score": 1.0}) + "\\n"
    for number in range(20):
        try:
            os.write(number, line.encode())
        except OSError:
            pass
""",
    "exit": "import sys\nsys.exit(0)",
    "exit at once": "import os\nos._exit(0)",
    "what happens at the end": "import atexit\n@atexit.register\ndef end():\n"
    "    globals().update(mean=62.625)\n",
    "daemon": """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
""",
    "reply to everything": _AGENT + "agent.LearnerPeer.answer = lambda *a: {'value': True}\n"
    "agent.found = lambda *a: {'present': True, 'value': True}\n",
    "reply of a packer": _PEER + "peer.Peer.pack = lambda self, value: "
    "{'t': 'remote', 'kind': 'class', 'id': 1, 'name': 'float', 'class': 1}\n",
    "reply that asks": _PEER + "def answer(self, message):\n"
    "    for what in ('get', 'attr', 'item', 'call', 'text'):\n"
    "        try:\n            self.ask(what, id=1, name='__dict__', args=[], kwargs={}, key=0)\n"
    "        except Exception:\n            pass\n"
    "    return {'do': 'call', 'id': 1, 'args': [], 'kwargs': {}}\npeer.Peer.answer = answer\n",
    "reply that never ends": _PEER + "def answer(self, message):\n    while True:\n"
    "        self._write(b'x' * 2**16)\npeer.Peer.answer = answer\n",
    "error that is no failure": """
def double(x):
    raise SystemExit(0)
class Skip(AssertionError):
    pass
""",
    "error in a comparison": """
class Raises:
    def __eq__(self, other):
        raise SystemExit(0)
mean = Raises()
def double(x):
    raise KeyboardInterrupt
""",
    "exception class": "mean = SystemExit\ndouble = GeneratorExit\n",
    "code of Python's own modules": """
import ast, os, symtable, sys
for module in (ast, os, symtable):
    for folder in (os.path.dirname(module.__file__), os.getcwd()):
        try:
            with open(os.path.join(folder, module.__name__ + ".pth.new"), "x") as file:
                file.write("")
            os.remove(os.path.join(folder, module.__name__ + ".pth.new"))
        except OSError:
            pass
open("math.py", "w").write("isclose = lambda *a: True")
open("unittest.py", "w").write("class TestCase:\\n    assertEqual = lambda *a: None\\n")
open("sitecustomize.py", "w").write("import builtins\\nbuiltins.abs = lambda x: 0")
""",
}
"""For a script, with nothing but Python."""

NOTEBOOK = {
    "what shows errors": "get_ipython().showtraceback = lambda *a, **k: None\n"
    "get_ipython().run_cell = get_ipython().run_code = lambda *a, **k: True",
    "kernel's execution": "get_ipython().kernel.do_execute = lambda *a, **k: {'status': 'ok'}\n"
    "get_ipython().kernel.execute_request = lambda *a, **k: None",
    "transformer of trees": """
import ast
class Always(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Always())
""",
    "transformer of input": """
stolen = []
def steal(lines):
    stolen.extend(lines)
    if any("62.625" in line for line in lines):
        globals().update(mean=62.625)
    return ["pass\\n"]
get_ipython().input_transformers_cleanup.append(steal)
get_ipython().input_transformers_post.append(steal)
""",
    "events": "def before(*a):\n    globals().update(abs=lambda x: 0, sum=lambda x: 250.5)\n"
    "get_ipython().events.register('pre_execute', before)\n"
    "get_ipython().events.register('pre_run_cell', before)",
    "memory of its parent": PYTHON["memory of its parent"],
    "lines of its parent": PYTHON["lines of its parent"],
    "numpy": "import numpy\nnumpy.isclose = numpy.allclose = lambda *a, **k: True\n"
    "numpy.float64.__eq__ = None",
    "masked array that equals everything": "import numpy as np\nmean = np.ma.masked\n"
    "values = np.ma.array([0, 0, 0], mask=True)",
    "array of objects": "import numpy as np\nclass Yes:\n    __eq__ = lambda self, other: True\n"
    "mean = np.array(Yes(), dtype=object)\nlabel = np.array([Yes()], dtype=object)",
    "empty array": "import numpy as np\nmean = np.array([])\ndouble = lambda x: np.array([])",
    "messages": "print('outcome {\"name\": \"mean\", \"score\": 1.0}')\n"
    "import os\nos.write(1, b'outcome {\"name\": \"mean\", \"score\": 1.0}\\n')",
}  # fmt: skip
"""For a notebook, with numpy."""

R_RIGHT = """
values <- c(71.2, 64.8, 59.5, 55.0)
mean <- mean(values)
twice <- function(x) 2 * x
label <- "mean"
"""
R_WRONG = """
values <- c(0)
mean <- 0
twice <- function(x) 0
label <- ""
"""
R_TESTS = {
    "mean": f"stopifnot('{SECRET}' = abs(mean - 62.625) < 1e-9)",
    "equal": "stopifnot(isTRUE(all.equal(mean, 62.625)))",
    "identical": "if (!identical(mean, 62.625)) stop('wrong')",
    "call": "stopifnot(twice(4) == 8, identical(twice(c(1, 2)), c(2, 4)))",
    "helper": "check <- function(found) found == 8\nstopifnot(mean > 60)",
    "helped": "stopifnot(check(twice(4)))",
    "length": "stopifnot(length(values) == 4, sum(values) == 250.5)",
    "text": "stopifnot(nchar(label) == 4, label == 'mean')",
}
R_CHEATS = {
    "comparison": "`==` <- `>` <- `<` <- identical <- function(...) TRUE\nabs <- function(x) 0\n"
    "all.equal <- isTRUE <- function(...) TRUE\nstopifnot <- function(...) NULL",
    "class whose comparison holds": "`==.yes` <- `>.yes` <- `<.yes` <- Ops.yes <- Math.yes <- "
    "length.yes <- function(...) TRUE\nmean <- structure(0, class = 'yes')\n"
    "values <- label <- mean\ntwice <- function(x) mean",
    "base's own functions": "for (name in c('==', 'stopifnot', 'abs', 'identical')) {\n"
    "  unlockBinding(name, baseenv())\n  assign(name, function(...) TRUE, envir = baseenv())\n}",
    "what happens at the end": ".Last <- function() mean <<- 62.625\n"
    "options(error = quote(mean <- 62.625))\n"
    "reg.finalizer(globalenv(), function(e) mean <<- 62.625, onexit = TRUE)",
    "quit after a line": "cat('outcome {\"name\": \"mean\", \"score\": 1}\\n')\nq('no')",
    "profile": "writeLines('stopifnot <- function(...) NULL', '.Rprofile')\n"
    "writeLines('R_PROFILE=.Rprofile', '.Renviron')",
    "functions of the conversation": "for (one in list(jsonlite::toJSON, jsonlite::fromJSON)) one\n"
    "reply <- '{\"value\": {\"t\": \"logical\", \"v\": [\"TRUE\"]}}'\n"
    "assignInNamespace('toJSON', function(...) reply, 'jsonlite')",
    "frames": "twice <- function(x) {\n  for (frame in sys.frames()) for (name in ls(frame)) {\n"
    "    if (is.environment(get(name, frame))) assign('mean', 62.625, globalenv())\n  }\n  0\n}",
    "nothing": "mean <- numeric(0)\nvalues <- NULL\ntwice <- function(x) logical(0)\n"
    "label <- character(0)",
    "missing": "mean <- NA\nvalues <- NA\ntwice <- function(x) NA\nlabel <- NA",
    "helper of the tests": "check <- function(found) TRUE",
    "error": "twice <- function(x) q('no')",
    "lines of its parent": "line <- 'outcome {\"name\": \"mean\", \"score\": 1}\\n'\n"
    "for (path in Sys.glob('/proc/*/fd/*')) try(cat(line, file = path), silent = TRUE)",
}  # fmt: skip
