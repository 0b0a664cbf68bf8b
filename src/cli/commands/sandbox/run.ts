/**
 * `varft sandbox run SNIPPET.py --image IN --out OUT`: one snippet exactly as a rollout runs it, through the code tool.
 */
import { readFile, realpath, stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { Command } from "commander";
import { DataError } from "../../../core/errors.ts";
import { canonicalImage, type CanonicalImage } from "../../../core/images.ts";
import { writeFileAtomic } from "../../../runs/disk.ts";
import type { Sandbox, SandboxTier, SnippetOutcome } from "../../../sandbox/types.ts";
import { codeTool } from "../../../tools/code/index.ts";
import { runTool } from "../../../tools/tool.ts";
import { openRecipeSandbox } from "../../compose/sandbox.ts";
import { printable } from "../../terminal/printable.ts";
import { style } from "../../terminal/style.ts";
import { positive, tierOption } from "./options.ts";

const HELP = `
Exit code 0: the snippet ended well. 1: it did not (exception, timeout, killed, lost, refused image). 2, 3: usage, files.
5: no sandbox. 130: interrupted.

--json prints one object:
  schema       1
  tier         how the snippet was confined
  status       as a rollout records it: ok, failed, timeout, lost
  snippet      ok, exception, timeout, killed, lost
  observation  what a policy would read; null for nothing
  stdout, stderr, exception, truncated, durationMs
  input        {width, height, bytes, sha256} of the canonical PNG
  output       {kind: "image", width, height, bytes, sha256, unchanged, path}, {kind: "none"} or {kind: "refused", reason}
               path: where it was written; null when the snippet failed, whose image counts for nothing`;

interface RunFlags {
  image: string;
  out?: string;
  json: boolean;
  tier?: SandboxTier;
  url?: string;
  timeoutMs: number;
}

export function runCommand(signal: AbortSignal): Command {
  return new Command("run")
    .description("Run one snippet exactly as a rollout runs it, and show all that comes of it.")
    .argument("<snippet>", "Python file, or - for stdin")
    .requiredOption("--image <file>", "input image; the snippet finds it as path_to_input_image.jpg")
    .option(
      "--out <file>",
      "PNG file to write the processed image to; one that exists is replaced, if there is an image",
    )
    .addOption(tierOption().conflicts("url"))
    .option("--url <url>", "use the pool of `varft sandbox serve` there; its token in VARFT_SANDBOX_TOKEN")
    .option("--timeout-ms <n>", "wall clock of the snippet", positive, 10_000)
    .option("--json", "print JSON", false)
    .addHelpText("after", HELP)
    .action((snippet: string, flags: RunFlags) => runSnippet(snippet, flags, signal));
}

async function runSnippet(path: string, flags: RunFlags, signal: AbortSignal): Promise<void> {
  const source = utf8(path === "-" ? await buffer(process.stdin) : await readInput(path), path);
  const target = flags.out === undefined ? null : await writable(flags.out);
  const image = await canonicalImage(await readInput(flags.image), flags.image);
  const sandbox = await openRecipeSandbox({ workers: 1, tier: flags.tier ?? null, url: flags.url ?? null });
  try {
    const seen = witnessed(sandbox);
    const call = await runTool(codeTool(seen, flags.timeoutMs), { source }, { image, signal });
    const outcome = seen.outcome();
    const processed = call.images[0] ?? null;
    if (processed !== null && target !== null) await writeImage(target, processed.png);
    const output = outputFacts(outcome, processed, call.run.detail["unchanged"] === true, flags.out ?? null);
    const { status, text: observation } = call.run;
    if (flags.json) {
      const { status: snippet, stdout, stderr, exception, truncated, durationMs } = outcome;
      const all = {
        schema: 1,
        tier: sandbox.tier,
        status,
        snippet,
        observation,
        stdout,
        stderr,
        exception,
        truncated,
        durationMs,
      };
      process.stdout.write(`${asciiJson({ ...all, input: facts(image), output })}\n`);
    } else {
      show(outcome, sandbox.tier, output);
    }
    if (status !== "ok") process.exitCode = 1;
  } finally {
    await sandbox.close();
  }
}

/** The same sandbox, which remembers what became of its last snippet: a tool keeps only what a policy reads. */
function witnessed(sandbox: Sandbox): Sandbox & { outcome(): SnippetOutcome } {
  let last: SnippetOutcome | null = null;
  return {
    tier: sandbox.tier,
    run: async (request, options) => (last = await sandbox.run(request, options)),
    close: () => sandbox.close(),
    outcome() {
      if (last === null) throw new Error("the code tool ran nothing");
      return last;
    },
  };
}

/** JSON whose strings hold nothing that a terminal could act on: all beyond ASCII is escaped. */
function asciiJson(value: object): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, null, 2).replace(/[\u007f-\uffff]/g, escaped);
}

const facts = ({ width, height, png, sha256 }: CanonicalImage): object => ({
  width,
  height,
  bytes: png.length,
  sha256,
});

type OutputFacts =
  | {
      kind: "image";
      width: number;
      height: number;
      bytes: number | null;
      sha256: string | null;
      unchanged: boolean;
      path: string | null;
    }
  | { kind: "none" }
  | { kind: "refused"; reason: string };

function outputFacts(
  { output }: SnippetOutcome,
  processed: CanonicalImage | null,
  unchanged: boolean,
  out: string | null,
): OutputFacts {
  if (output.kind === "none") return { kind: "none" };
  if (output.kind === "refused") return { kind: "refused", reason: output.reason };
  const { width, height } = output;
  return {
    kind: "image",
    width,
    height,
    bytes: processed?.png.length ?? null,
    sha256: processed?.sha256 ?? null,
    unchanged,
    path: processed === null ? null : out,
  };
}

function show(outcome: SnippetOutcome, tier: string, output: OutputFacts): void {
  const write = (line: string): boolean => process.stdout.write(`${line}\n`);
  for (const name of ["stdout", "stderr"] as const) {
    const said = printable(outcome[name].trimEnd());
    if (said !== "") write(`${style("bold", name)}\n${said}`);
  }
  if (outcome.truncated) write(style("yellow", "output was longer; the rest is dropped"));
  const mark = outcome.status === "ok" ? style("green", "ok") : style("red", outcome.status);
  const exception = outcome.exception === null ? "" : `: ${printable(outcome.exception)}`;
  write(`${mark}${exception} (${tier}, ${outcome.durationMs.toFixed(0)} ms)`);
  if (output.kind === "none") write("no output image");
  else if (output.kind === "refused") write(`output image refused: ${printable(output.reason)}`);
  else {
    const kept = output.sha256 === null ? "counts for nothing: the snippet failed" : `sha256 ${output.sha256}`;
    const written = output.path === null ? "" : `, written as PNG to ${printable(output.path)}`;
    write(`output image ${output.width}x${output.height}${output.unchanged ? ", unchanged" : ""}, ${kept}${written}`);
  }
}

async function readInput(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DataError("data.cannot_read", `cannot read ${path}: ${(cause as Error).message}`, {
      hint: "Give the path of a file that this user may read.",
      details: { path },
      cause,
    });
  }
}

/** As an editor saves it, with or without a byte order mark. A policy's code is text already: nothing stands for what is none. */
function utf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError("data.not_text", `${path}: the snippet is no UTF-8`, {
      hint: "Save it as UTF-8.",
      details: { path },
      cause,
    });
  }
}

/**
 * Where an image for `path` is to be written: a file, through links, or nothing yet. Anything else would be replaced by the image: a
 * device too, for whoever may.
 */
async function writable(path: string): Promise<string> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? null : error));
  if (there === null) return path;
  if (!(there instanceof Error) && there.isFile()) return realpath(path);
  const what = there instanceof Error ? there.message : there.isDirectory() ? "is a folder" : "is no ordinary file";
  throw new DataError("data.cannot_write", `cannot write ${path}: ${what}`, { hint: OUT_HINT, details: { path } });
}

const OUT_HINT = "Give --out the path of a PNG file, new or to be replaced, in a folder that this user may write to.";

/** In place of what is there; whole or not at all. */
async function writeImage(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFileAtomic(path, bytes);
  } catch (cause) {
    throw new DataError("data.cannot_write", `cannot write ${path}: ${(cause as Error).message}`, {
      hint: OUT_HINT,
      details: { path },
      cause,
    });
  }
}
