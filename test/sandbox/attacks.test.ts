/** The attack table at every tier that this machine offers, each forced: the attack fails, the host is untouched, the next snippet is right. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSandbox } from "../../src/sandbox/index.ts";
import { openRemoteSandbox } from "../../src/sandbox/remote/client.ts";
import { serveSandbox } from "../../src/sandbox/remote/server.ts";
import type { Sandbox, SandboxTier } from "../../src/sandbox/types.ts";
import type { Attack } from "./attacks/attack.ts";
import { attacks } from "./attacks/index.ts";
import { Range } from "./range.ts";
import { tiers } from "./support.ts";

for (const { tier, available } of tiers) {
  describe.skipIf(!available)(`tier ${tier}`, () => {
    attackedIn(() => openSandbox({ tier, workers: 1 }), tier, attacks);
  });
}

/** The same workers, behind HTTP. */
const everySixth = attacks.filter((_, index) => index % 6 === 0);
const best = tiers.find(({ available }) => available)?.tier;
describe.skipIf(best === undefined)("remote pool at the best tier", () => {
  attackedIn(
    async () => {
      const token = "only for the length of this test";
      const sandbox = await openSandbox({ workers: 1 });
      const server = await serveSandbox({ sandbox, workers: 1, host: "127.0.0.1", port: 0, token });
      const remote = await openRemoteSandbox({ url: server.url, token });
      return {
        tier: remote.tier,
        run: (request, options) => remote.run(request, options),
        async close() {
          await remote.close();
          await server.close();
          await sandbox.close();
        },
      };
    },
    best ?? "landlock",
    everySixth,
  );
});

function attackedIn(open: () => Promise<Sandbox>, tier: SandboxTier, shown: readonly Attack[]): void {
  let range: Range;
  beforeAll(async () => {
    range = await Range.open(open);
  });
  afterAll(() => range?.close());

  test.each(shown)("$name", async (attack) => {
    const faults = await range.faults(attack);
    const accepted = attack.notHeld?.[tier] !== undefined;
    expect({ held: faults.length === 0, faults: accepted ? [] : faults }).toEqual({ held: !accepted, faults: [] });
  });
}
