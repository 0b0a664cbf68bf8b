/**
 * One writer at a time: `run.lock` holds its pid. A lock whose process is gone counts for nothing.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../core/errors.ts";
import { writing } from "./disk.ts";

const lockPath = (folder: string): string => join(folder, "run.lock");

/** Takes the folder for this process. Throws `data.run_locked` while another living one holds it. */
export async function lockFolder(folder: string): Promise<void> {
  for (;;) {
    try {
      await writing(folder, () => writeFile(lockPath(folder), String(process.pid), { flag: "wx" }));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(await readFile(lockPath(folder), "utf8").catch(() => "0"));
    if (holder !== process.pid && isAlive(holder)) {
      throw new DataError("data.run_locked", `${folder} is being written by process ${holder}`, {
        hint: `Wait for it, or stop it; if no such process is yours, delete ${lockPath(folder)}.`,
        retryable: true,
      });
    }
    await rm(lockPath(folder), { force: true });
  }
}

export async function unlockFolder(folder: string): Promise<void> {
  await rm(lockPath(folder), { force: true });
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
