/** Hostile snippets that go through a library: what it opens, maps, runs or loads is held like anything else. */
import { type Attack, attempt, output } from "./attack.ts";

/** `tried(name, run)` prints LEAK when `run` returns something true; a library's own error is as good as the kernel's. */
const tried = `
import os, sys
def tried(name, run):
    try: result = run()
    except Exception: result = None
    print("LEAK" if result else "held", name, repr(result)[:200] if result else "")
`;

const forbidden = (canary: string): string =>
  JSON.stringify([
    `${canary}/secret`,
    `${canary}/secret.png`,
    "/etc/passwd",
    "/proc/self/mem",
    "/proc/1/environ",
    "/dev/mem",
    "/dev/sda",
  ]);

const through = (name: string, source: (canary: string) => string): Attack => ({
  name: `library: ${name}`,
  source,
  status: ["ok"],
});

export const libraries: Attack[] = [
  through(
    "cv2 opens the host's files, streams, devices and screens",
    (canary) => `${tried}
import cv2, numpy
picture = numpy.zeros((8, 8, 3), numpy.uint8)
for path in ${forbidden(canary)}:
    tried("imread " + path, lambda: cv2.imread(path) is not None)
    tried("imreadmulti " + path, lambda: cv2.imreadmulti(path)[0])
    tried("storage " + path, lambda: cv2.FileStorage(path, cv2.FILE_STORAGE_READ).isOpened())
    tried("net " + path, lambda: cv2.dnn.readNetFromONNX(path))
    tried("cascade " + path, lambda: not cv2.CascadeClassifier(path).empty())
    tried("found " + path, lambda: cv2.samples.findFile(path))
for name in ("imwrite", "imwritemulti"): tried(name, lambda: getattr(cv2, name)(${JSON.stringify(`${canary}/planted.png`)}, [picture] if "multi" in name else picture))
tried("storage", lambda: cv2.FileStorage(${JSON.stringify(`${canary}/planted`)}, cv2.FILE_STORAGE_WRITE).isOpened())
code = cv2.VideoWriter_fourcc(*"MJPG")
for target in (${JSON.stringify(`${canary}/planted`)}, "tcp://127.0.0.1:9", "rtmp://127.0.0.1/x", "/dev/video0", "appsrc ! filesink location=/tmp/planted"):
    tried("writer " + target, lambda: cv2.VideoWriter(target, code, 10, (8, 8)).isOpened() and not os.path.exists("/tmp/planted"))
os.environ.update({"OPENCV_FFMPEG_CAPTURE_OPTIONS": "protocol_whitelist;file,tcp,udp,concat", "OPENCV_VIDEOIO_PLUGIN_PATH": os.getcwd()})
for source in (0, "/dev/video0", "http://127.0.0.1:9/x.mp4", "rtsp://127.0.0.1:9/x", "udp://127.0.0.1:9", "tcp://127.0.0.1:9", "file:///etc/passwd",
               "concat:/etc/passwd|/etc/hosts", "v4l2src ! appsink", *${forbidden(canary)}):
    tried(f"capture {source}", lambda: cv2.VideoCapture(source).isOpened())
    if source: tried(f"capture by ffmpeg {source}", lambda: cv2.VideoCapture(source, cv2.CAP_FFMPEG).isOpened())
tried("window", lambda: cv2.imshow("x", picture) or True)
tried("OpenCL", lambda: cv2.ocl.setUseOpenCL(True) or cv2.ocl.useOpenCL())`,
  ),
  through(
    "numpy reads, maps and writes the host's files",
    (canary) => `${tried}
import numpy
for path in [*${forbidden(canary)}, numpy.__file__, sys.executable]:
    outside = path not in (numpy.__file__, sys.executable)
    for mode in ("r+", "w+", *(("r", "c") if outside else ())):
        tried(f"memmap {mode} {path}", lambda: numpy.memmap(path, numpy.uint8, mode, shape=(1,)).size)
    tried("tofile " + path, lambda: numpy.zeros(1).tofile(path) or True)
    if outside:
        for read in (numpy.fromfile, numpy.load, numpy.loadtxt, numpy.genfromtxt): tried(f"{read.__name__} {path}", lambda: len(read(path)))
        tried("open_memmap " + path, lambda: numpy.lib.format.open_memmap(path))
for write in (numpy.save, numpy.savez, numpy.savetxt): tried(write.__name__, lambda: write(${JSON.stringify(`${canary}/planted`)}, numpy.zeros(1)) or True)
tried("data source", lambda: numpy.lib.npyio.DataSource().open("http://127.0.0.1:9/x"))`,
  ),
  through(
    "Pillow opens files, fonts, screens and viewers",
    (canary) => `${tried}
from PIL import Image, ImageFont, ImageGrab, ImageMath, ImageShow, ImagePalette, ImageCms
for path in ${forbidden(canary)}:
    tried("open " + path, lambda: Image.open(path))
    tried("font " + path, lambda: ImageFont.truetype(path))
    tried("bitmap font " + path, lambda: ImageFont.load(path))
    tried("palette " + path, lambda: ImagePalette.load(path))
    tried("profile " + path, lambda: ImageCms.getOpenProfile(path))
tried("save", lambda: Image.new("L", (4, 4)).save(${JSON.stringify(`${canary}/planted.png`)}) or True)
tried("screen", ImageGrab.grab); tried("clipboard", ImageGrab.grabclipboard)
for viewer in ImageShow._viewers: tried(type(viewer).__name__, lambda: os.system(viewer.get_command("x.png")) == 0)
open("e.eps", "wb").write(b"%!PS-Adobe-3.0 EPSF-3.0\\n%%BoundingBox: 0 0 9 9\\n%%EndComments\\n(%pipe%touch planted) (w) file\\n")
tried("PostScript", lambda: Image.open("e.eps").load() and os.path.exists("planted"))
tried("expression", lambda: ImageMath.unsafe_eval("().__class__.__base__.__subclasses__()"))`,
  ),
  through(
    "processes by every module that starts them",
    () => `${tried}
import asyncio, concurrent.futures, ctypes, multiprocessing, pickle, pty, subprocess, webbrowser
libc = ctypes.CDLL(None)
for name in ("run", "call", "check_output", "Popen"): tried(name, lambda: getattr(subprocess, name)(["/bin/true"]))
tried("shell", lambda: subprocess.run("true", shell=True)); tried("getoutput", lambda: subprocess.getstatusoutput("true")[0] == 0)
tried("close_fds", lambda: subprocess.Popen(["/bin/true"], close_fds=False, preexec_fn=os.setsid))
tried("system", lambda: os.system("true") == 0); tried("popen", lambda: os.popen("echo x").read())
for name in ("spawnv", "spawnvp"): tried(name, lambda: getattr(os, name)(os.P_WAIT, "/bin/true", ["true"]) == 0)
for name in ("posix_spawn", "posix_spawnp"): tried(name, lambda: getattr(os, name)("/bin/true", ["true"], {}))
for name in ("fork", "forkpty", "openpty"): tried(name, lambda: getattr(os, name)())
for method in ("fork", "spawn", "forkserver"): tried(method, lambda: multiprocessing.get_context(method).Process(target=print).start() or True)
for name in ("Pool", "Manager", "Queue", "Lock"): tried(name, lambda: getattr(multiprocessing, name)())
tried("executor", lambda: concurrent.futures.ProcessPoolExecutor(1).submit(print).result(1))
async def program(): return await (await asyncio.create_subprocess_exec("/bin/true")).wait() == 0
coroutine = program()
tried("asyncio", lambda: asyncio.run(coroutine)); coroutine.close()
tried("pty", lambda: pty.spawn("/bin/true") == 0); tried("browser", lambda: webbrowser.open("http://127.0.0.1"))
class Command:
    def __reduce__(self): return os.system, ("true",)
tried("pickle", lambda: pickle.loads(pickle.dumps(Command())) == 0)
for name in (b"fork", b"vfork", b"_Fork", b"daemon"):
    if name.decode() != "vfork": tried(name.decode(), lambda: getattr(libc, name.decode())(1, 1) != -1)
tried("fexecve", lambda: libc.fexecve(os.open("/bin/true" if os.path.exists("/bin/true") else sys.executable, 0), 0, 0) == 0)
tried("memfd", lambda: os.memfd_create("x")); tried("shm_open", lambda: libc.shm_open(b"/varft-planted", 66, 0o600) >= 0)
tried("shared memory", lambda: __import__("multiprocessing.shared_memory").shared_memory.SharedMemory(create=True, size=9))`,
  ),
  {
    name: "library: machine code of its own",
    source: () => `${attempt}
import ctypes, errno, glob, mmap, platform
for path in glob.glob("/lib/*/libc.so.6") + glob.glob("/lib64/libc.so.6"):
    open("own.so", "wb").write(open(path, "rb").read())
    try: own = ctypes.CDLL("./own.so", use_errno=True)
    except OSError: break
    if own.system(b"true") == 0 or own.fork() >= 0: print("LEAK through a library of its own")
    break
if platform.machine() == "x86_64":
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    for name, number in (("fork", 57), ("execve", 59), ("socket", 41), ("ptrace", 101), ("open_tree", 428), ("io_uring_setup", 425)):
        page.seek(0); page.write(b"\\x31\\xff\\x31\\xf6\\x31\\xd2\\xb8" + number.to_bytes(4, "little") + b"\\x0f\\x05\\xc3")
        if (result := ctypes.CFUNCTYPE(ctypes.c_long)(address)()) != -errno.EPERM: print("LEAK", name, result)
print("held")`,
    status: ["ok"],
  },
  {
    name: "library: code that waits for the end",
    source: () => `
import atexit, gc, os, signal, sys, threading, time, weakref
def late(*a):
    time.sleep(0.02); os.write(1, b"LEAK late\\n"); open("${output}", "w").write("late")
class Last:
    __del__ = late
last, kept = Last(), lambda: None
last.cycle = last
atexit.register(late); weakref.finalize(kept, late); threading._register_atexit(late)
signal.signal(signal.SIGALRM, late); signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01); signal.setitimer(signal.ITIMER_REAL, 0)
try: threading.Thread(target=late).start()
except RuntimeError: pass
sys.settrace(lambda *a: None); sys.setprofile(None); sys.addaudithook(lambda *a: None)
raise SystemExit(0)`,
    status: ["ok"],
  },
];
