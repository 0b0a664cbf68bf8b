/** A host program for the lifecycle suite: opens a sandbox at the tier named by argv, runs two endless snippets, and waits to be killed. */
import { openSandbox, type SandboxTier } from "../../src/sandbox/index.ts";
import { inputPng } from "./support.ts";

const sandbox = await openSandbox({ tier: process.argv[2] as SandboxTier, workers: 2, limits: { timeoutMs: 600_000 } });
const endless = ["while True: pass", "import time; time.sleep(1000)"].map((source) =>
  sandbox.run({ source, image: inputPng }),
);
console.log("running");
await Promise.all(endless);
