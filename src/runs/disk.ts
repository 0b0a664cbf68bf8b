/**
 * Durable writes: atomic files, and disk-full as a typed error.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError } from "../core/errors.ts";

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Runs a write; a full disk becomes `data.disk_full` naming the file. */
export async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== undefined && FULL.has(code)) {
      throw new DataError("data.disk_full", `cannot write ${path}: no space left (${code})`, {
        hint: "Free some space, then go on with --resume: everything committed is safe.",
        details: { path },
        cause,
      });
    }
    throw cause;
  }
}

/**
 * Writes beside the target, syncs, renames: a reader sees the old file or the whole new one. Throws `data.cannot_write` when there is
 * something else than a file, which a rename would put an end to, be it /dev/null.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const there = await stat(path).catch(() => null);
  if (there !== null && !there.isFile()) {
    throw new DataError("data.cannot_write", `cannot write ${path}: it is there already, and no file`, {
      hint: "Name a file, or a path where nothing is yet.",
      details: { path },
    });
  }
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  await writing(path, async () => {
    try {
      const file = await open(temporary, "wx");
      try {
        await file.writeFile(data);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}
