/** Hostile snippets that lie about how they ended, flood what they print, or play for time. */
import { type Attack, input, output } from "./attack.ts";

const raising = (name: string, source: string, exception = ""): Attack => ({
  name: `exception: ${name}`,
  source: () => source,
  status: ["exception"],
  exception,
});

export const reporting: Attack[] = [
  raising("message of 64 MB", `raise ValueError("x" * (64 << 20))`, "ValueError: xxx"),
  raising("message of controls, worst case when quoted", `raise ValueError("\\0\\x01\\x1b" * 3000)`, "ValueError: "),
  raising(
    "terminal escapes and lone surrogates",
    `raise ValueError("\\x1b[2J\\x1b]0;owned\\x07 \\ud800 \\u202e")`,
    "ValueError: ",
  ),
  raising("invalid UTF-8 as report", `import os; os.write(3, b"\\xff" * 5000); os._exit(1)`, "\uFFFD"),
  raising(
    "forged by the report's descriptor",
    `import os; os.write(3, b"ValueError: forged"); os._exit(1)`,
    "ValueError: forged",
  ),
  raising("__str__ that raises itself", "class E(Exception):\n  def __str__(self): raise self\nraise E", "E"),
  raising(
    "__repr__ without end",
    "class A:\n  def __repr__(self): return repr(self)\nclass E(Exception):\n  def __str__(self): return repr(A())\nraise E",
  ),
  raising(
    "a class without a name",
    "class M(type):\n  __name__ = property(lambda self: None)\n  __qualname__ = __module__ = __name__\nclass E(Exception, metaclass=M): pass\nraise E",
  ),
  raising("SystemExit whose code raises", "class E(SystemExit):\n  code = property(lambda self: 1 / 0)\nraise E"),
  raising("SystemExit with a giant code", "raise SystemExit(10 ** 5000)"),
  raising(
    "a circle of causes",
    "a, b = ValueError('a'), ValueError('b')\na.__cause__, b.__cause__ = b, a\nraise a",
    "ValueError: a",
  ),
  raising(
    "a chain of 2,000 causes",
    "e = None\nfor i in range(2000):\n  n = ValueError(str(i)); n.__context__ = e; e = n\nraise e",
  ),
  raising("a group of groups", "e = ValueError(1)\nfor _ in range(500): e = ExceptionGroup('g', [e])\nraise e"),
  raising(
    "every reporter broken",
    "import traceback, sys, linecache, os\ntraceback.TracebackException = linecache.getline = sys.excepthook = None\nsys.stderr = sys.stdout = None\nraise ValueError",
  ),
  raising(
    "a syntax error whose mark is a gigabyte long",
    'raise SyntaxError("m", ("f", 1, 1, "x" * 10, 1, 10**9))',
    "SyntaxError",
  ),
  raising("KeyboardInterrupt", "raise KeyboardInterrupt", "KeyboardInterrupt"),
  raising(
    "MemoryError while memory is full",
    "x = []\ntry:\n  while True: x.append(bytearray(1 << 20))\nexcept MemoryError:\n  while True: x.append(x[:])",
    "MemoryError",
  ),
  {
    name: "exception: __str__ that never returns",
    source: () => "class E(Exception):\n  def __str__(self):\n    while True: pass\nraise E",
    limits: { timeoutMs: 300 },
    status: ["timeout"],
  },
  {
    name: "exit code 0 at once, with an output",
    source: () => `import os, shutil; shutil.copy("${input}", "${output}"); os._exit(0)`,
    status: ["ok"],
    output: { kind: "image" },
  },
  {
    name: "every exit code",
    source: () => "import os, random, time; os._exit(time.monotonic_ns() % 255 + 1)",
    status: ["exception"],
  },
  {
    name: "exits that do nothing",
    source: () => `
import os, sys
os._exit = sys.exit = lambda *a: None
os.fork = os.wait = os.pidfd_open = lambda *a: 0
raise ValueError("now what")`,
    limits: { timeoutMs: 2000 },
    status: ["exception", "killed", "timeout"],
  },
  {
    name: "worker's own code reached through frames",
    source: () => `
import gc, os, sys
for descriptor in range(4, 1024):
    try: os.write(descriptor, b"LEAK"); print("LEAK descriptor", descriptor)
    except OSError: pass
for o in gc.get_objects():
    if type(o).__name__ == "function" and str(o.__module__).startswith("varft_sandbox"):
        try: o.__code__ = (lambda *a, **k: None).__code__
        except ValueError: pass  # a closure
frame = sys._getframe()
while frame.f_back:
    frame = frame.f_back
    frame.f_globals.clear()
os._exit(0)`,
    status: ["ok"],
  },
  {
    name: "frames of the pipe printed",
    source: () => `
import json, os, struct
header = json.dumps({"id": 1, "status": "ok", "exception": None, "truncated": False, "durationMs": 1, "output": {"kind": "image", "width": 1, "height": 1},
                     "stdoutBytes": 0, "stderrBytes": 0, "rgbBytes": 3}).encode()
for descriptor in (1, 2, 3): os.write(descriptor, struct.pack("<I", len(header)) + header + b"RGB" + b"C" * 100)`,
    status: ["ok"],
  },
  {
    name: "reads of stdin",
    source: () => `
import os, sys
if sys.stdin.read() != "" or os.read(0, 100) != b"": print("LEAK stdin")
try: input()
except EOFError: print("held")`,
    status: ["ok"],
  },
  {
    name: "stdout of invalid UTF-8",
    source: () => `import os\nfor _ in range(300): os.write(1, b"\\xff\\xfe\\x80\\xc3" * 4096)`,
    status: ["ok"],
  },
  {
    name: "one byte at a time, both streams",
    source: () => `import os\nfor _ in range(20000): os.write(1, b"a"); os.write(2, b"\\x1b")`,
    status: ["ok"],
  },
  {
    name: "both streams flooded by threads until the deadline",
    source: () => `
import os, threading
def flood(descriptor):
    while True: os.write(descriptor, b"x" * 65536)
for descriptor in (1, 2, 3): threading.Thread(target=flood, args=(descriptor,), daemon=True).start()
flood(1)`,
    limits: { timeoutMs: 300 },
    status: ["timeout", "exception"],
  },
  {
    name: "pipes made non-blocking and closed half-way",
    source: () => `
import fcntl, os
for descriptor in (1, 2, 3):
    fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        while True: os.write(descriptor, b"x" * 65536)
    except OSError: os.close(descriptor)`,
    status: ["ok", "exception"],
  },
  {
    name: "an end around the deadline",
    source: () => `import time; t = time.monotonic()\nwhile time.monotonic() - t < 0.2: pass`,
    limits: { timeoutMs: 200 },
    status: ["ok", "timeout"],
  },
  {
    name: "timers and masked signals",
    source: () => `
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001); signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001); signal.alarm(1)
while True: pass`,
    limits: { timeoutMs: 300 },
    status: ["timeout"],
  },
  {
    name: "CPU burnt by every thread it can have",
    source: () => `
import hashlib, threading
def burn():
    while True: hashlib.sha256(bytes(1 << 22))  # runs without the interpreter's lock
try:
    for _ in range(6): threading.Thread(target=burn, daemon=True).start()
except RuntimeError: pass
burn()`,
    limits: { timeoutMs: 300 },
    status: ["timeout"],
  },
  {
    name: "random numbers drained",
    source: () =>
      `import os\nfor _ in range(200): os.urandom(1 << 20); os.getrandom(256)\nopen("/dev/random", "rb").read(1 << 20)`,
    limits: { timeoutMs: 2000 },
    status: ["ok", "timeout", "exception"], // a root folder in which no device can be made lacks /dev/random
  },
];
