/**
 * The attacks can succeed: one protection at a time is taken away, and the attack that it holds must be seen to get through. Only
 * attacks that do no harm where they succeed.
 */
import { afterEach, describe, expect, test } from "vitest";
import type { SandboxTier } from "../../src/sandbox/types.ts";
import { attacks } from "./attacks/index.ts";
import { Range } from "./range.ts";
import { tiers } from "./support.ts";
import { openWeakened, type Removal } from "./weakened.ts";

const EVERY: SandboxTier[] = ["bubblewrap", "namespaces", "bubblewrap-per-snippet", "landlock"];

/** Without this, at these tiers, this attack gets through, with this fault. */
const CASES: [removal: Removal, tiers: SandboxTier[], attack: string, fault: RegExp][] = [
  ["system-call filter", EVERY, "process controls", /^LEAK prctl/],
  ["system-call filter", ["landlock"], "network of every family", /^LEAK family/],
  ["resource limits", ["namespaces", "landlock"], "memory mapped and never touched", /^LEAK 4 GB/],
  ["resource limits", ["namespaces"], "limits raised again", /^LEAK RLIMIT_AS unlimited/],
  ["closing of descriptors", ["namespaces", "landlock"], "forged response", /ended as (lost|ok)|next snippet|host's/],
  ["file rules", ["landlock"], "read the host's files", /^LEAK .*secret/],
  ["own root folder", ["landlock"], "what a host path tells by existing", /^LEAK stat/],
  ["room of the mounted folder", ["namespaces"], "disk fill through mappings of deleted files", /^LEAK 88/],
  ["watch over the folder", ["landlock"], "disk fill through mappings of deleted files", /^LEAK 88/],
  ["refusal of links as output", ["namespaces"], "output: link to the input", /output .*"image"/],
  ["small environment", ["namespaces"], "environment", /^LEAK/],
  ["repeatable seeds", ["landlock"], "sleep", /next snippet: finds another state/],
];

describe.each(CASES)("without %s", (removal, at, name, fault) => {
  const offered = at.filter((tier) => tiers.some((report) => report.tier === tier && report.available));
  let range: Range | undefined;
  afterEach(() => range?.close());

  test.each(offered)(`tier %s does not hold: ${name}`, async (tier) => {
    const attack = attacks.find((one) => one.name === name)!;
    range = await Range.open(() => openWeakened(tier, removal));
    expect(await range.faults(attack)).toContainEqual(expect.stringMatching(fault));
  });
});

test("no two attacks share a name", () => {
  expect(new Set(attacks.map(({ name }) => name)).size).toBe(attacks.length);
});
