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
