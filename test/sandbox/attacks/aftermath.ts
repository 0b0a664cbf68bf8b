/** Hostile snippets that leave something behind: an output file for the supervisor, a poisoned worker for the next snippet. */
import { type Attack, output } from "./attack.ts";

export const aftermath: Attack[] = [
  {
    name: "symlink as output",
    source: (canary) => `import os; os.symlink(${JSON.stringify(`${canary}/secret.png`)}, "${output}")`,
    status: ["ok"],
    output: { kind: "refused" },
  },
  {
    name: "FIFO as output",
    source: () => `import os; os.mkfifo("${output}")`,
    status: ["ok"],
    output: { kind: "refused", reason: "regular" },
  },
  {
    name: "folder as output",
    source: () => `import os; os.mkdir("${output}")`,
    status: ["ok"],
    output: { kind: "refused", reason: "regular" },
  },
  {
    name: "device as output",
    source: () => `import os; os.mknod("${output}", 0o20666, os.makedev(1, 5))`,
    status: ["exception"],
  },
  {
    name: "device link as output",
    source: () => `import os; os.symlink("/dev/zero", "${output}")`,
    status: ["ok"],
    output: { kind: "refused" },
  },
  {
    name: "text as output",
    source: () => `open("${output}", "w").write("hello")`,
    status: ["ok"],
    output: { kind: "refused", reason: "not an image" },
  },
  {
    name: "empty output",
    source: () => `open("${output}", "w")`,
    status: ["ok"],
    output: { kind: "refused", reason: "empty" },
  },
  {
    name: "output over the pixel cap",
    source: () => `from PIL import Image; Image.new("L", (101, 100)).save("${output}", "PNG")`,
    limits: { imagePixels: 10_000 },
    status: ["ok"],
    output: { kind: "refused", reason: "pixels" },
  },
  {
    name: "decompression bomb as output",
    source: () => `
import struct, zlib
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
header = struct.pack(">IIBBBBB", 60000, 60000, 8, 6, 0, 0, 0)
with open("${output}", "wb") as file:
    file.write(b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1 << 24))) + chunk(b"IEND", b""))`,
    status: ["ok"],
    output: { kind: "refused", reason: "pixels" },
  },
  {
    name: "truncated image as output",
    source: () => `
data = open("path_to_input_image.jpg", "rb").read()
open("${output}", "wb").write(data[:len(data) // 2])`,
    status: ["ok"],
    output: { kind: "refused", reason: "cannot be decoded" },
  },
  {
    name: "program as output format",
    source: () => `open("${output}", "wb").write(b"%!PS-Adobe-3.0 EPSF-3.0\\n%%BoundingBox: 0 0 10 10\\n")`,
    status: ["ok"],
    output: { kind: "refused", reason: "not an image" },
  },
  { name: "deleted input", source: () => `import os; os.unlink("path_to_input_image.jpg")`, status: ["ok"] },
  {
    name: "poisoned modules",
    source: () => `
import builtins, sys, os, cv2, numpy, random
from PIL import Image
cv2.imread = cv2.imwrite = cv2.rotate = numpy.array = Image.open = None
numpy.ndarray.__module__ = None if False else "x"
for name in list(sys.modules): sys.modules[name] = None
builtins.open = builtins.print = builtins.__import__ = None
os.environ["X"] = "1"`,
    status: ["ok", "exception"],
  },
  {
    name: "poisoned reporting",
    source: () =>
      "import traceback, sys\ntraceback.TracebackException = sys.stderr = None\nclass E(Exception):\n  def __str__(self): raise self\nraise E",
    status: ["exception"],
  },
];
