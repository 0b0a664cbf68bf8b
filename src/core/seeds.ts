/**
 * Counter-based randomness: every draw is a hash of where it happens, so order, batching and resuming change nothing.
 */
import { createHash } from "node:crypto";

/** Where one completion's noise comes from. The worker adds the token position. */
export interface NoiseSite {
  runSeed: number;
  step: number;
  taskId: string;
  rollout: number;
  turn: number;
}

function digestOf(domain: string, parts: readonly (string | number)[]): Buffer {
  // Length-prefixed, so that ("a", "bc") and ("ab", "c") differ.
  const hash = createHash("sha256").update(domain);
  for (const part of parts) {
    const text = String(part);
    hash.update(`\n${Buffer.byteLength(text)}:${text}`);
  }
  return hash.digest();
}

/** The noise key of one completion: 16 hex digits, sha256 of its site. */
export function noiseKey(site: NoiseSite): string {
  return digestOf("varft.noise.1", [site.runSeed, site.step, site.taskId, site.rollout, site.turn])
    .subarray(0, 8)
    .toString("hex");
}

/** A stream of uniform numbers in [0, 1), 53 bits each, from a name. `new SeededStream("rotation", 7, "train", 3).next()` */
export class SeededStream {
  readonly #parts: readonly (string | number)[];
  #count = 0;

  constructor(...parts: (string | number)[]) {
    this.#parts = parts;
  }

  next(): number {
    const bytes = digestOf("varft.stream.1", [...this.#parts, this.#count++]);
    return Number(bytes.readBigUInt64BE(0) >> 11n) / 2 ** 53;
  }

  /** An integer in [low, high], both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(values: readonly [T, ...T[]]): T {
    return values[Math.floor(this.next() * values.length)] ?? values[0];
  }
}
