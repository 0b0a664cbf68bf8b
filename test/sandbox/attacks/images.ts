/** Hostile output files: links, odd kinds of file, and images made to hurt whoever decodes them. */
import { type Attack, input, output } from "./attack.ts";

const refusal = (name: string, source: string, reason = ""): Attack => ({
  name,
  source: () => source,
  status: ["ok"],
  output: { kind: "refused", reason },
});

const CHUNK = `
import struct, zlib
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(width, height, *chunks, depth=8, color=2):
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)) + b"".join(chunks) + chunk(b"IEND", b"")
def put(data): open("${output}", "wb").write(data)
`;

export const images: Attack[] = [
  refusal("output: link to the input", `import os; os.symlink("${input}", "${output}")`),
  refusal("output: link to itself", `import os; os.symlink("${output}", "${output}")`),
  refusal("output: link to /proc/self/mem", `import os; os.symlink("/proc/self/mem", "${output}")`),
  refusal("output: link to the worker's pipes", `import os; os.symlink("/proc/self/fd/5", "${output}")`),
  {
    name: "output: socket",
    source: () => `import os; os.mknod("${output}", 0o140600)`,
    status: ["ok", "exception"],
    output: { kind: "any" },
  },
  refusal(
    "output: file nobody may read",
    `import os; os.umask(0); os.close(os.open("${output}", os.O_CREAT | os.O_WRONLY, 0))`,
  ),
  {
    name: "output: hard link to the input",
    source: () => `import os; os.link("${input}", "${output}")`,
    status: ["ok"],
    output: { kind: "image" },
  },
  {
    name: "output: an image nobody may read",
    source: () =>
      `import os; os.umask(0); fd = os.open("${output}", os.O_CREAT | os.O_WRONLY, 0); os.write(fd, open("${input}", "rb").read())`,
    status: ["ok"],
    output: { kind: "any" },
  },
  refusal(
    "output: SVG with an entity",
    `open("${output}", "w").write('<!DOCTYPE s [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&e;</text></svg>')`,
    "not an image",
  ),
  refusal(
    "output: pickle",
    `import pickle\nclass E:\n  def __reduce__(self): return (print, ("LEAK",))\npickle.dump(E(), open("${output}", "wb"))`,
    "not an image",
  ),
  refusal(
    "output: numpy file",
    `import numpy; numpy.save(open("${output}", "wb"), numpy.array([object()], dtype=object), allow_pickle=False) if False else numpy.save(open("${output}", "wb"), numpy.zeros((4, 4)))`,
    "not an image",
  ),
  refusal("output: OpenEXR", `open("${output}", "wb").write(b"\\x76\\x2f\\x31\\x01" + bytes(400))`, "not an image"),
  refusal(
    "output: Radiance HDR",
    `open("${output}", "wb").write(b"#?RADIANCE\\nFORMAT=32-bit_rle_rgbe\\n\\n-Y 99999 +X 99999\\n" + bytes(400))`,
    "not an image",
  ),
  refusal(
    "output: JPEG 2000",
    `open("${output}", "wb").write(b"\\0\\0\\0\\x0cjP  \\r\\n\\x87\\n" + bytes(400))`,
    "not an image",
  ),
  refusal("output: PDF", `open("${output}", "wb").write(b"%PDF-1.7\\n" + bytes(400))`, "not an image"),
  refusal(
    "output: WMF, ICO, PSD, TGA, PCX, SGI and FITS",
    `
heads = [b"\\xd7\\xcd\\xc6\\x9a", b"\\0\\0\\1\\0\\1\\0", b"8BPS\\0\\1", b"\\x0a\\5\\1\\x08", b"\\1\\xda\\1\\1", b"SIMPLE  =                    T"]
open("${output}", "wb").write(heads[5] + bytes(4000))`,
    "not an image",
  ),
  refusal(
    "output: PNG whose pixels are no deflate stream",
    `${CHUNK}put(png(64, 64, chunk(b"IDAT", b"\\xff" * 1000)))`,
    "cannot be decoded",
  ),
  refusal(
    "output: PNG with a text bomb",
    `${CHUNK}put(png(8, 8, *[chunk(b"zTXt", b"k\\0\\0" + zlib.compress(bytes(1 << 25))) for _ in range(3)], chunk(b"IDAT", zlib.compress(bytes(8 * 25)))))`,
  ),
  refusal("output: PNG of zero size", `${CHUNK}put(png(0, 0, chunk(b"IDAT", zlib.compress(b""))))`),
  refusal(
    "output: PNG of 2^31 pixels a side",
    `${CHUNK}put(png(0x7FFFFFFF, 0x7FFFFFFF, chunk(b"IDAT", zlib.compress(bytes(100)))))`,
    "pixels",
  ),
  refusal(
    "output: PNG with a negative size",
    `${CHUNK}put(png(0xFFFFFFFF, 2, chunk(b"IDAT", zlib.compress(bytes(100)))))`,
  ),
  refusal(
    "output: JPEG header of 65535 pixels a side",
    `
data = bytearray(); import io
from PIL import Image
b = io.BytesIO(); Image.new("RGB", (8, 8)).save(b, "JPEG"); data = bytearray(b.getvalue())
at = data.index(b"\\xff\\xc0") + 5; data[at:at + 4] = b"\\xff\\xff\\xff\\xff"
open("${output}", "wb").write(data)`,
    "pixels",
  ),
  refusal(
    "output: GIF screen of 65535 pixels a side",
    `
import struct; open("${output}", "wb").write(b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6) + b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\\2\\0;")`,
  ),
  refusal(
    "output: WebP of 16383 pixels a side, cut",
    `
import struct; open("${output}", "wb").write(b"RIFF" + struct.pack("<I", 60) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\\xfe\\x3f\\0\\xfe\\x3f\\0" + bytes(30))`,
  ),
  refusal(
    "output: TIFF whose directories form a circle",
    `
import struct; open("${output}", "wb").write(b"II*\\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + struct.pack("<HHII", 256, 4, 1, 9) + struct.pack("<I", 8))`,
  ),
  refusal(
    "output: TIFF with strips beyond the file",
    `
import struct
tags = [(256, 4, 1, 500), (257, 4, 1, 500), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 0x7FFFFF00), (277, 3, 1, 1), (278, 4, 1, 500), (279, 4, 1, 0x7FFFFFFF)]
open("${output}", "wb").write(b"II*\\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4))`,
  ),
  refusal(
    "output: BMP header that lies",
    `
import struct; open("${output}", "wb").write(b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 60000, -60000, 1, 24, 0, 0, 0, 0, 0, 0))`,
    "pixels",
  ),
  refusal("output: PPM of a thousand digits", `open("${output}", "wb").write(b"P6\\n" + b"9" * 1000 + b" 1\\n255\\n")`),
  {
    name: "output: 16-bit image over the pixel cap",
    source: () => `
import numpy; from PIL import Image
Image.fromarray(numpy.zeros((300, 300), numpy.uint16)).save("${output}", "TIFF", compression="tiff_deflate")`,
    limits: { imagePixels: 50_000 },
    status: ["ok"],
    output: { kind: "refused", reason: "pixels" },
  },
  {
    name: "output: sparse file with an image in front",
    source: () => `
data = open("${input}", "rb").read()
with open("${output}", "wb") as f: f.write(data); f.truncate(7 << 20)`,
    limits: { diskMb: 8 },
    status: ["ok"],
    output: { kind: "image" },
  },
  {
    name: "output: whiteout, as an overlay makes one",
    source: () => `
import os
try: os.mknod("${output}", 0o20600, 0)
except OSError: pass`,
    status: ["ok"],
    output: { kind: "any" },
  },
  {
    name: "output: JPEG of 500 scans over each other",
    source: () => `
import io, re
from PIL import Image
b = io.BytesIO(); Image.new("L", (800, 800)).save(b, "JPEG", progressive=True)
data = b.getvalue()
starts = [m.start() for m in re.finditer(b"\\xff\\xda", data)] + [len(data) - 2]
shortest = min((data[a:b] for a, b in zip(starts, starts[1:])), key=len)
open("${output}", "wb").write(data[:-2] + shortest * 500 + b"\\xff\\xd9")`,
    status: ["ok"],
    output: { kind: "any" },
  },
  {
    name: "output: JPEG of a thousand EXIF, XMP and colour profile segments",
    source: () => `
import io, struct
from PIL import Image
b = io.BytesIO(); Image.new("RGB", (64, 48)).save(b, "JPEG"); data = b.getvalue()
def segment(kind, body): return b"\\xff" + kind + struct.pack(">H", min(len(body), 65533) + 2) + body[:65533]
tags = [(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8), (0x0112, 3, 1, 6)] + [(0x9000 + i, 7, 60000, 0) for i in range(2000)]
exif = b"Exif\\0\\0II*\\0" + struct.pack("<IH", 8, len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
xmp = b"http://ns.adobe.com/xap/1.0/\\0<x " + b'tiff:Orientation="' * 3600
profile = b"ICC_PROFILE\\0\\1\\xff" + bytes(65000)
open("${output}", "wb").write(data[:2] + segment(b"\\xe1", exif) + (segment(b"\\xe1", xmp) + segment(b"\\xe2", profile)) * 300 + data[2:])`,
    status: ["ok"],
    output: { kind: "any" },
  },
  {
    name: "output: PNG with a colour profile that unpacks to 32 MB",
    source: () =>
      `${CHUNK}put(png(8, 8, chunk(b"iCCP", b"x\\0\\0" + zlib.compress(bytes(1 << 25), 1)), chunk(b"IDAT", zlib.compress(bytes(8 * 25)))))`,
    status: ["ok"],
    output: { kind: "any" },
  },
  {
    name: "output: TIFF of 4,000 tags of a megabyte each",
    source: () => `
import struct
tags = [(256, 4, 1, 100), (257, 4, 1, 100), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 100), (279, 4, 1, 10000)]
tags += [(40000 + i, 1, 1 << 20, 8) for i in range(4000)]
open("${output}", "wb").write(b"II*\\0" + struct.pack("<I", 8 + (1 << 20)) + bytes(1 << 20) + struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4))`,
    status: ["ok"],
    output: { kind: "any" },
  },
  refusal("output: PPM that is a comment", `open("${output}", "wb").write(b"P6\\n" + b"#x\\n" * 100000)`),
  {
    name: "output: BMP run lengths that skip for ever",
    source: () => `
import struct
open("${output}", "wb").write(b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 1078, 40, 500, 500, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024) + b"\\0\\2\\1\\0" * 200000)`,
    status: ["ok"],
    output: { kind: "any" },
  },
  {
    name: "output: animated image of 3,000 frames",
    source: () => `
from PIL import Image
frames = [Image.new("L", (2, 2), i % 256) for i in range(3000)]
frames[0].save("${output}", "GIF", save_all=True, append_images=frames[1:])`,
    status: ["ok"],
    output: { kind: "any" },
  },
  {
    name: "output: rewritten by a thread after the main one left",
    source: () => `
import ctypes, os, platform, threading
def rewrite():
    while True:
        try:
            os.symlink("/etc/passwd", "t"); os.replace("t", "${output}")
            open("t", "wb").write(b"x"); os.replace("t", "${output}")
        except OSError: pass
threading.Thread(target=rewrite, daemon=True).start()
ctypes.CDLL(None).syscall(ctypes.c_long(93 if platform.machine() == "aarch64" else 60), 0)`,
    limits: { timeoutMs: 300 },
    status: ["timeout", "exception"], // no thread at all: an ordinary user's other processes count at tier landlock
    output: { kind: "any" },
  },
  ...["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM"].map((format): Attack => ({
    name: `output: ${format} with damaged bytes`,
    source: () => `
import io, random
from PIL import Image
b = io.BytesIO(); Image.effect_noise((64, 48), 60).convert("RGB").save(b, "${format}")
data = bytearray(b.getvalue())
for _ in range(60): data[random.randrange(2, len(data))] = random.randrange(256)
open("${output}", "wb").write(data[: len(data) - 100])`,
    status: ["ok"],
    output: { kind: "any" },
  })),
];
