/** The honest snippet that runs after every attack: it must get its own right result, and find the world as the first one found it. */

/** Rotates the input without loss, then prints all the state that an earlier snippet could have changed. */
export const HONEST = `
import os, sys
before = sorted(os.listdir(".")), sorted(sys.modules), list(sys.path), [type(f).__name__ for f in sys.meta_path], len(sys.path_hooks)
import cv2
image = cv2.imread("path_to_input_image.jpg")
assert cv2.imwrite("rotated.png", cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE))
os.rename("rotated.png", "path_to_output_image.jpg")
import atexit, builtins, decimal, gc, hashlib, json, locale, random, resource, signal, threading, warnings
import numpy
from PIL import Image, ImageFile
def is_open(fd):
    try: os.fstat(fd); return True
    except OSError: return False
def handler(number):
    try: return str(signal.getsignal(number))
    except ValueError: return None
def temporary():
    try: return sorted(os.listdir("/tmp"))
    except OSError: return None
def frames():
    frame, found = sys._getframe(2), []
    while frame:
        numbers = {n: v for n, v in frame.f_locals.items() if isinstance(v, (int, float, tuple)) and n not in ("zygote", "parent")}
        found.append([frame.f_code.co_name, repr(numbers)])
        frame = frame.f_back
    return found
state = {
    "before": before, "cwd": os.path.basename(os.getcwd()), "umask": os.umask(0o77), "environment": dict(os.environ), "argv": sys.argv, "tmp": temporary(),
    "open": [fd for fd in range(64) if is_open(fd)], "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")},
    "signals": [handler(n) for n in range(1, 65)], "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "timer": signal.getitimer(signal.ITIMER_REAL),
    "threads": threading.active_count(), "trace": str((sys.gettrace(), sys.getprofile(), threading.gettrace())), "atexit": atexit._ncallbacks(),
    "hooks": [sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__, sys.unraisablehook is sys.__unraisablehook__],
    "recursion": sys.getrecursionlimit(), "switch": sys.getswitchinterval(), "digits": sys.get_int_max_str_digits(), "gc": [gc.isenabled(), gc.get_threshold()],
    "builtins": hashlib.md5(repr([(n, type(v).__name__) for n, v in sorted(vars(builtins).items())]).encode()).hexdigest(),
    "nice": os.getpriority(os.PRIO_PROCESS, 0) if False else None, "affinity": len(os.sched_getaffinity(0)), "locale": locale.setlocale(locale.LC_ALL),
    "random": [random.random(), float(numpy.random.rand()), numpy.asarray(cv2.randu(numpy.zeros(2), 0, 9)).tolist(), hash("a")],
    "cv2": [cv2.getNumThreads(), cv2.useOptimized(), len(dir(cv2))], "numpy": [numpy.geterr(), numpy.get_printoptions()["precision"], len(dir(numpy))],
    "pillow": [Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, sorted(Image.OPEN), sorted(Image.SAVE), len(Image.EXTENSION), len(Image.ID)],
    "frames": frames(), "decimal": decimal.getcontext().prec, "warnings": len(warnings.filters), "seven": [3 + 4, len("1234567")], "main": sorted(n for n in vars(sys.modules["__main__"]) if n.startswith("__")),
}
print(json.dumps(state, default=str, indent=1))
`;
