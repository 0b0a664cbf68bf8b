/**
 * Sandbox: throughput and latency of rotate + gain on a 720x720 image, at every tier this machine offers, beside one plain
 * Python process per snippet (unconfined, trusted source) in the same run.
 *
 * `npx tsx bench/sandbox.ts [--seconds 5] [--workers 2]`
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import sharp from "sharp";
import { environmentPython } from "../src/core/installation.ts";
import { openSandbox, probeTiers } from "../src/sandbox/index.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "5" }, workers: { type: "string", default: "2" } },
});
const seconds = Number(values.seconds);
const workers = Number(values.workers);
const size = 720;

const SNIPPET = `
import cv2
image = cv2.imread("path_to_input_image.jpg")
image = cv2.convertScaleAbs(cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE), alpha=1.3, beta=10)
cv2.imwrite("path_to_output_image.jpg", image)
`;

/** Smooth noise: compresses about as well as a photograph. */
const noise = Uint8Array.from({ length: 90 * 90 * 3 }, (_, index) => (index * 2_654_435_761) >>> 24);
const photograph = await sharp(noise, { raw: { width: 90, height: 90, channels: 3 } })
  .resize(size, size)
  .png()
  .toBuffer();

interface Measured {
  name: string;
  perSecond: number;
  p50Ms: number;
  p95Ms: number;
}

/** Keeps `workers` calls of `once` running for the given time. */
async function measure(name: string, once: () => Promise<void>): Promise<Measured> {
  for (let warm = 0; warm < workers; warm++) await once();
  const durations: number[] = [];
  const started = performance.now();
  const lane = async (): Promise<void> => {
    while (performance.now() - started < seconds * 1000) {
      const from = performance.now();
      await once();
      durations.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: workers }, lane));
  const elapsed = (performance.now() - started) / 1000;
  durations.sort((a, b) => a - b);
  const quantile = (q: number): number => durations[Math.floor(q * (durations.length - 1))] ?? Number.NaN;
  return { name, perSecond: durations.length / elapsed, p50Ms: quantile(0.5), p95Ms: quantile(0.95) };
}

async function measurePlainProcess(): Promise<Measured> {
  const python = environmentPython("sandbox");
  let count = 0;
  return measure("one plain process per snippet", async () => {
    const folder = await mkdtemp(join(tmpdir(), `varft-bench-${count++}-`));
    await writeFile(join(folder, "path_to_input_image.jpg"), photograph);
    await promisify(execFile)(python, ["-c", SNIPPET], {
      cwd: folder,
      env: { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
    });
    await sharp(await readFile(join(folder, "path_to_output_image.jpg")))
      .raw()
      .toBuffer();
    await rm(folder, { recursive: true });
  });
}

const load = loadavg()[0]!.toFixed(2);
console.log(
  `${availableParallelism()} cores, load ${load} before the run, ${workers} at a time, ${seconds} s each, PNG in, JPEG written, RGB out`,
);
const rows: (Measured & { openMs?: number })[] = [await measurePlainProcess()];
for (const { tier, available, reason } of await probeTiers()) {
  if (!available) {
    console.log(`${tier}: skipped, ${reason}`);
    continue;
  }
  const from = performance.now();
  const sandbox = await openSandbox({ tier, workers });
  const openMs = performance.now() - from;
  const run = async (source: string, kind: string): Promise<void> => {
    const outcome = await sandbox.run({ source, image: photograph });
    if (outcome.output.kind !== kind) throw new Error(`${tier}: ${outcome.status}, ${outcome.stderr}`);
  };
  rows.push({ ...(await measure(`${tier}, rotate + gain`, () => run(SNIPPET, "image"))), openMs });
  rows.push(await measure(`${tier}, empty snippet`, () => run("", "none")));
  await sandbox.close();
}
console.log(
  "\n| way | per second | p50 | p95 | against plain processes | opening the pool |\n|---|---|---|---|---|---|",
);
for (const { name, perSecond, p50Ms, p95Ms, openMs } of rows) {
  const ratio = name.includes("empty") ? "" : `${(perSecond / rows[0]!.perSecond).toFixed(1)}x`;
  const opening = openMs === undefined ? "" : `${openMs.toFixed(0)} ms`;
  console.log(
    `| ${name} | ${perSecond.toFixed(1)} | ${p50Ms.toFixed(1)} ms | ${p95Ms.toFixed(1)} ms | ${ratio} | ${opening} |`,
  );
}
