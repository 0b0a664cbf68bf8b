/** The system-call filter, both architectures, by interpreting its BPF: no machine of the other kind is needed. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { environmentPython, packageFolder } from "../../src/core/installation.ts";

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x00050001;
const PRETEND = 0x00050000;
const ENOSYS = 0x00050026;
const EINVAL = 0x00050016;

const machines = {
  x86_64: {
    audit: 0xc000003e,
    other: 0x40000003, // i386: int 0x80
    numbers: {
      read: 0,
      mmap: 9,
      openat: 257,
      clone: 56,
      clone3: 435,
      execve: 59,
      socket: 41,
      socketpair: 53,
      kill: 62,
      ptrace: 101,
      prctl: 157,
      fcntl: 72,
      ioctl: 16,
      prlimit64: 302,
      fchmodat: 268,
      io_uring_setup: 425,
      unshare: 272,
      bpf: 321,
      memfd_create: 319,
      truncate: 76,
      uname: 63,
      futex: 202,
      close_range: 436,
      readlinkat: 267,
      flock: 73,
      fsync: 74,
      clock_gettime: 228,
      getsid: 124,
      sched_getaffinity: 204,
      madvise: 28,
      pwritev2: 328,
    },
  },
  aarch64: {
    audit: 0xc00000b7,
    other: 0x40000028, // 32-bit ARM
    numbers: {
      read: 63,
      mmap: 222,
      openat: 56,
      clone: 220,
      clone3: 435,
      execve: 221,
      socket: 198,
      socketpair: 199,
      kill: 129,
      ptrace: 117,
      prctl: 167,
      fcntl: 25,
      ioctl: 29,
      prlimit64: 261,
      fchmodat: 53,
      io_uring_setup: 425,
      unshare: 97,
      bpf: 280,
      memfd_create: 279,
      truncate: 45,
      uname: 160,
      futex: 98,
      close_range: 436,
      readlinkat: 78,
      flock: 32,
      fsync: 82,
      clock_gettime: 113,
      getsid: 156,
      sched_getaffinity: 123,
      madvise: 233,
      pwritev2: 287,
    },
  },
};

function compile(machine: string, landlockAbi: number | null): Buffer {
  const program = `import sys; from varft_sandbox import seccomp
sys.stdout.buffer.write(seccomp.snippet_filter(${landlockAbi ?? "None"}, "${machine}"))`;
  return execFileSync(environmentPython("sandbox"), ["-B", "-c", program], {
    env: { PYTHONPATH: join(packageFolder, "sandbox") },
  });
}

/** Classic BPF over `struct seccomp_data`: nr, arch, instruction pointer, six 64-bit arguments. */
function verdict(filter: Buffer, arch: number, nr: number, ...values: number[]): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(nr >>> 0, 0);
  data.writeUInt32LE(arch, 4);
  values.forEach((value, index) => data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 16 + 8 * index));
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at++) {
    const [code, onTrue, onFalse, k] = [
      filter.readUInt16LE(at * 8),
      filter[at * 8 + 2]!,
      filter[at * 8 + 3]!,
      filter.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) at += accumulator === k ? onTrue : onFalse;
    else if (code === 0x35) at += accumulator >= k ? onTrue : onFalse;
    else if (code === 0x06) return k;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("fell off the end");
}

describe.each(Object.entries(machines))("%s", (machine, { audit, other, numbers }) => {
  const filter = compile(machine, null);
  const call = (nr: number, ...values: number[]): number => verdict(filter, audit, nr, ...values);

  test("ordinary work is allowed", () => {
    for (const name of ["read", "mmap", "openat"] as const) expect(call(numbers[name])).toBe(ALLOW);
    expect(call(numbers.fcntl, 3, 1)).toBe(ALLOW); // F_GETFD
    expect(call(numbers.prlimit64, 0, 7)).toBe(ALLOW);
    expect(call(numbers.clone, 0x003d0f00)).toBe(ALLOW); // what pthread_create passes
  });

  test("processes, sockets, signals and kernel interfaces are refused", () => {
    for (const name of [
      "execve",
      "socket",
      "socketpair",
      "kill",
      "ptrace",
      "io_uring_setup",
      "unshare",
      "bpf",
      "memfd_create",
      "uname", // tells the host's name
    ] as const) {
      expect(call(numbers[name]), name).toBe(EPERM);
    }
    expect(call(numbers.clone, 17)).toBe(EPERM); // what fork passes
    expect(call(numbers.clone, 0x003d0f00 | 0x20000000)).toBe(EPERM); // a thread in a new pid namespace
    expect(call(numbers.clone3)).toBe(ENOSYS);
    expect(call(numbers.prctl, 4, 1)).toBe(EPERM); // dumpable
    expect(call(numbers.fcntl, 3, 8, 1)).toBe(EPERM); // F_SETOWN
    expect(call(numbers.ioctl, 0, 0x5412)).toBe(0x00050019); // TIOCSTI: ENOTTY
    expect(call(numbers.prlimit64, 1, 7)).toBe(EPERM);
    expect(call(numbers.openat, 0, 0, 0o20200002)).toBe(EPERM); // O_TMPFILE
    expect(call(numbers.fchmodat)).toBe(PRETEND);
    for (let nr = 500; nr < 2000; nr++) expect(call(nr)).toBe(EPERM); // calls that no kernel has yet
  });

  test("threads, waiting and clocks work, as far as they concern this process alone", () => {
    expect(call(numbers.clone, 0x003d0f00 & ~0x400)).toBe(EPERM); // a thread with descriptors of its own
    expect(call(numbers.close_range, 3, 9, 4)).toBe(ALLOW); // CLOEXEC
    expect(call(numbers.close_range, 3, 9, 2)).toBe(EPERM); // UNSHARE
    for (const operation of [0, 0x80, 0x81, 0x83, 0x84, 0x85, 0x89, 0x8a, 0x109]) {
      expect(call(numbers.futex, 0, operation), `futex ${operation}`).toBe(ALLOW);
    }
    for (const operation of [1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 0x86, 0x8b, 0x8d]) {
      expect(call(numbers.futex, 0, operation), `futex ${operation}`).toBe(ENOSYS);
    }
    expect(call(numbers.clock_gettime, 1)).toBe(ALLOW);
    expect(call(numbers.clock_gettime, -((7 + 1) << 3) | 2)).toBe(EINVAL); // the CPU time of process 7
    expect(call(numbers.getsid, 0)).toBe(ALLOW);
    expect(call(numbers.getsid, 7)).toBe(EPERM);
    expect(call(numbers.sched_getaffinity, 0)).toBe(ALLOW);
    expect(call(numbers.sched_getaffinity, 7)).toBe(ENOSYS);
  });

  test("nothing locks, syncs or evicts what others use too", () => {
    for (const name of ["flock", "fsync"] as const) expect(call(numbers[name]), name).toBe(PRETEND);
    for (const command of [6, 7, 37, 38]) expect(call(numbers.fcntl, 3, command), `fcntl ${command}`).toBe(PRETEND);
    for (const command of [5, 36, 9, 11]) expect(call(numbers.fcntl, 3, command), `fcntl ${command}`).toBe(EPERM);
    expect(call(numbers.openat, 0, 0, 0o10101)).toBe(EPERM); // O_DSYNC
    expect(call(numbers.pwritev2, 1, 0, 1, 0, 0, 0)).toBe(ALLOW);
    expect(call(numbers.pwritev2, 1, 0, 1, 0, 0, 2)).toBe(0x0005005f); // RWF_DSYNC: EOPNOTSUPP
    expect(call(numbers.mmap, 0, 4096, 3, 0x22)).toBe(ALLOW);
    expect(call(numbers.mmap, 0, 4096, 3, 0x40022)).toBe(0x0005000c); // MAP_HUGETLB: ENOMEM
    expect(call(numbers.madvise, 0, 4096, 4)).toBe(ALLOW); // DONTNEED
    expect(call(numbers.madvise, 0, 4096, 12)).toBe(EINVAL); // MERGEABLE
  });

  test("where links lead is told in a jail, not by Landlock, which does not cover it", () => {
    expect(call(numbers.readlinkat)).toBe(ALLOW);
    expect(verdict(compile(machine, 7), audit, numbers.readlinkat)).toBe(0x0005000d); // EACCES
  });

  test("only the machine's own calls count", () => {
    expect(verdict(filter, other, numbers.read)).toBe(KILL);
    expect(call(0x40000000 + numbers.read)).toBe(machine === "x86_64" ? KILL : EPERM);
  });

  test("before Landlock knew truncation, seccomp refuses it", () => {
    const old = compile(machine, 2);
    expect(verdict(old, audit, numbers.truncate)).toBe(EPERM);
    expect(verdict(old, audit, numbers.openat, 0, 0, 0o1000)).toBe(EPERM); // O_RDONLY | O_TRUNC
    expect(verdict(old, audit, numbers.openat, 0, 0, 0o1101)).toBe(ALLOW); // O_WRONLY | O_CREAT | O_TRUNC: a Landlock write
    expect(call(numbers.truncate)).toBe(ALLOW);
  });
});
