/**
 * One set-up at a time per folder: a lock folder with the owner's process id and a heartbeat; a dead owner's lock is taken over.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const HEARTBEAT_MS = 5_000;
/** Without a heartbeat for so long an owner counts as dead even where its process id cannot be checked (another host) or was given away. */
const SILENT_MS = 10 * 60_000;
const POLL_MS = 300;

/** @param {string} folder @returns {{text: string, pid: number, host: string} | null} null: no lock, or not written yet */
function owner(folder) {
  try {
    const text = readFileSync(join(folder, "owner.json"), "utf8");
    return { text, ...JSON.parse(text) };
  } catch {
    return null;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/** @param {string} folder */
function isStale(folder) {
  const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  const current = owner(folder);
  // An owner writes its name right after it made the folder; one that never did was killed in between.
  if (current === null) return age > HEARTBEAT_MS;
  return (current.host === hostname() && !isAlive(current.pid)) || age > SILENT_MS;
}

/** Moves a stale lock away; a rename has one winner, and a lock renewed meanwhile goes back. @param {string} folder */
function takeAway(folder) {
  const before = owner(folder)?.text;
  const aside = `${folder}.stale-${process.pid}`;
  try {
    renameSync(folder, aside);
    if (owner(aside)?.text !== before) renameSync(aside, folder);
    else rmSync(aside, { recursive: true, force: true });
  } catch {
    // another process was first
  }
}

/**
 * Takes the lock of `home`, waiting while another set-up holds it. `onWait` hears the other's process id once.
 * @param {string} home
 * @param {(pid: number | null) => void} onWait
 * @returns {Promise<() => void>} gives the lock back
 */
export async function lockHome(home, onWait) {
  mkdirSync(home, { recursive: true });
  const folder = join(home, "setup.lock");
  let said = false;
  for (;;) {
    try {
      mkdirSync(folder);
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    if (isStale(folder)) {
      takeAway(folder);
      continue;
    }
    if (!said) onWait(owner(folder)?.pid ?? null);
    said = true;
    await sleep(POLL_MS);
  }
  writeFileSync(
    join(folder, "owner.json"),
    JSON.stringify({ pid: process.pid, host: hostname(), at: new Date().toISOString() }),
  );
  const heartbeat = setInterval(() => {
    try {
      utimesSync(folder, new Date(), new Date());
    } catch {
      // the folder was removed by hand: nothing to keep alive
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    rmSync(folder, { recursive: true, force: true });
  };
}
