/**
 * Where a run goes when nobody says: `runs/<name>-<local time>` in the current folder.
 */
import { join } from "node:path";

export function newRunPath(name: string): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return join("runs", `${name}-${day}-${time}`);
}
