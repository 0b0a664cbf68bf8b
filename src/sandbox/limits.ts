/** Limits of one snippet: the defaults, and what a caller may ask for. */
import { ConfigError } from "../core/errors.ts";
import type { SnippetLimits } from "./types.ts";

export const defaultLimits: SnippetLimits = {
  timeoutMs: 10_000,
  memoryMb: 768,
  diskMb: 64,
  outputBytes: 64 * 1024,
  imagePixels: 64_000_000,
};

/** Highest value of each limit; above it a limit would promise what pipes, address space and decoding time cannot keep. */
const ceilings: SnippetLimits = {
  timeoutMs: 3_600_000,
  memoryMb: 65_536,
  diskMb: 4096,
  outputBytes: 16 * 1024 * 1024,
  imagePixels: 256_000_000,
};

/** `base` with `overrides` applied. Throws `config.bad_limit` for a value that is no integer from 1 to its ceiling. */
export function resolveLimits(base: SnippetLimits, overrides: Partial<SnippetLimits> = {}): SnippetLimits {
  const limits = { ...base, ...overrides };
  for (const key of Object.keys(ceilings) as (keyof SnippetLimits)[]) {
    const value = limits[key];
    if (!Number.isInteger(value) || value < 1 || value > ceilings[key]) {
      throw new ConfigError(
        "config.bad_limit",
        `sandbox limit ${key}: expected an integer from 1 to ${ceilings[key]}, got ${value}`,
        {
          hint: `Set ${key} to a value in that range, for example ${defaultLimits[key]}.`,
          details: { key, value, ceiling: ceilings[key] },
        },
      );
    }
  }
  return limits;
}
