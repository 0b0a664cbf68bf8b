import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeInt32, encodeFloat32, encodeInt32 } from "../core/arrays.ts";
import { canonicalFromPixels } from "../core/images.ts";
import { EngineClient } from "./client.ts";
import type { EngineHandle } from "./handle.ts";
import { startEngine } from "./supervisor.ts";
import { buildTiny, engineAbsent, scratchFolder, textRequest, until } from "./testing/tiny-engine.ts";
import { PROTOCOL_VERSION, type ForwardBackwardRequest, type SampleResponse } from "./wire.ts";

const PATIENCE = 120_000;
const ADAM = { learningRate: 1e-3, betas: [0.9, 0.999] as [number, number], eps: 1e-8, weightDecay: 0, maxGradNorm: 1 };

const key = (k: number): string => k.toString(16).padStart(16, "0");
const keys = (count: number): string[] => Array.from({ length: count }, (_, k) => key(k));

describe.skipIf(engineAbsent() !== null)("EngineClient against a real worker", { timeout: PATIENCE }, () => {
  let folder: string;
  let logFile: string;
  const uploads: string[] = [];
  let image: { sha256: string; png: Uint8Array };
  let engine: EngineHandle;
  let client: EngineClient;

  beforeAll(async () => {
    folder = scratchFolder();
    logFile = join(folder, "run", "engine.log");
    const rgb = Uint8Array.from({ length: 32 * 24 * 3 }, (_, k) => (k * 37) % 256);
    image = await canonicalFromPixels({ width: 32, height: 24, rgb });
    const imageBytes = (sha256: string): Promise<Uint8Array> => {
      uploads.push(sha256);
      return Promise.resolve(image.png);
    };
    engine = await startEngine({ modelPath: await buildTiny(folder), logFile, imageBytes });
    client = engine.client;
  }, PATIENCE);

  afterAll(async () => {
    await engine?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A demonstration row: no prompt to pin, text that the worker tokenises. */
  const demonstration = (text: string): ForwardBackwardRequest["rows"][number] => ({
    messages: [{ role: "user", content: [{ type: "text", text: "What number is it?" }] }],
    prompt: null,
    tokenIds: null,
    text,
    advantages: encodeFloat32([1]),
    oldLogprobs: null,
  });

  const training = (rows: ForwardBackwardRequest["rows"], maxTokensPerMicrobatch = 4096) => ({
    rows,
    objective: { name: "cross_entropy" as const },
    temperature: 1,
    pixels: { min: null, max: null },
    maxTokensPerMicrobatch,
  });

  const sampledRow = (response: SampleResponse, prompt = response.results[0]?.prompt) => {
    const completion = response.results[0]?.completions[0];
    if (completion === undefined || prompt === undefined) throw new Error("nothing was sampled");
    const { digest, ids, images } = prompt;
    return {
      messages: textRequest([], 1).prompts[0]?.messages ?? [],
      prompt: { digest, ids, images },
      tokenIds: completion.tokenIds,
      text: null,
      advantages: encodeFloat32([1]),
      oldLogprobs: null,
    };
  };

  const raw = (path: string, headers: Record<string, string>, body?: string): Promise<Response> =>
    fetch(new URL(path, client.url), { headers, ...(body === undefined ? {} : { method: "POST", body }) });

  it("says which model, life and protocol it is", async () => {
    const info = await client.info();
    expect(info).toEqual(engine.info);
    expect(info.instanceId).toBe(client.instanceId);
    expect(info.protocolVersion).toBe(PROTOCOL_VERSION);
    expect(info.model.architecture).toBe("Qwen2_5_VLForConditionalGeneration");
    expect(info.threads).toBe(1);
  });

  it("refuses a wrong token, before it reads anything else", async () => {
    const stranger = new EngineClient({ url: client.url, token: "not-the-token-of-this-worker" });
    await expect(stranger.info()).rejects.toMatchObject({ code: "engine.unauthorized", exitCode: 4 });
    await expect(stranger.zeroGrad()).rejects.toMatchObject({ code: "engine.unauthorized" });
    expect((await stranger.health()).ok).toBe(true);
    expect((await raw("/v1/info", {})).status).toBe(401);
  });

  it("refuses a web page that rebinds its name to loopback", async () => {
    const { request } = await import("node:http");
    const status = await new Promise((resolve, reject) => {
      const call = request(new URL("/v1/health", client.url), { headers: { host: "attacker.example" } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      call.on("error", reject).end();
    });
    expect(status).toBe(403);
  });

  it("names the field of a bad request", async () => {
    const request = textRequest([key(0)], 4);
    const bad = { ...request, sampling: { ...request.sampling, topP: 2 } };
    await expect(client.sample(bad)).rejects.toMatchObject({
      code: "engine.bad_request",
      details: { field: "sampling.topP" },
    });
    const unknown = { ...request, seed: 1 };
    await expect(client.sample(unknown)).rejects.toThrow(/^seed: /);
    await expect(client.save({ path: "relative", pins: {} })).rejects.toThrow(/^path: .*absolute/);
  });

  it("samples the same tokens for the same keys", async () => {
    const [first, second] = [
      await client.sample(textRequest(keys(3), 12)),
      await client.sample(textRequest(keys(3), 12)),
    ];
    expect(second.results).toEqual(first.results);
    expect(first.results[0]?.completions).toHaveLength(3);
    expect(first.policyVersion).toBe((await client.info()).policyVersion);
  });

  it("uploads an image that the worker lacks, once, and asks again", async () => {
    const request = textRequest([key(1)], 4);
    request.prompts[0]?.messages[0]?.content.unshift({ type: "image", sha256: image.sha256 });
    const withImage = await client.sample(request);
    expect(withImage.results[0]?.prompt.images.map(({ sha256 }) => sha256)).toEqual([image.sha256]);
    expect(uploads).toEqual([image.sha256]);
    await client.sample(request);
    expect(uploads).toEqual([image.sha256]);
  });

  it("refuses bytes that are not the image they are named for", async () => {
    const lost = createHash("sha256").update("nowhere").digest("hex");
    const request = textRequest([key(1)], 4);
    request.prompts[0]?.messages[0]?.content.unshift({ type: "image", sha256: lost });
    // This file's store answers every hash with the same bytes.
    await expect(client.sample(request)).rejects.toMatchObject({ code: "images.hash_mismatch" });
    await expect(client.putImage(lost, Buffer.from("no image"))).rejects.toMatchObject({
      code: "images.hash_mismatch",
    });
  });

  it("runs an operation that is sent twice under one id once", async () => {
    const before = (await client.info()).policyVersion;
    await client.forwardBackward(training([demonstration("<answer>42</answer>")]));
    const twice = await Promise.all([
      client.optimStep(ADAM, { operationId: "step-1" }),
      client.optimStep(ADAM, { operationId: "step-1" }),
    ]);
    expect(twice[0]).toEqual(twice[1]);
    expect(twice[0].policyVersion).toBe(before + 1);
    expect(await client.optimStep(ADAM, { operationId: "step-1" })).toEqual(twice[0]);
    expect((await client.info()).policyVersion).toBe(before + 1);
    await expect(client.optimStep({ ...ADAM, learningRate: 1 }, { operationId: "step-1" })).rejects.toMatchObject({
      code: "engine.operation_conflict",
    });
  });

  it("refuses a prompt of which one token was changed", async () => {
    const response = await client.sample(textRequest([key(2)], 6));
    const prompt = response.results[0]?.prompt;
    if (prompt === undefined) throw new Error("no prompt");
    await client.forwardBackward(training([sampledRow(response)]));
    await client.zeroGrad();
    const ids = [...decodeInt32(prompt.ids)];
    ids[4] = (ids[4] ?? 0) + 1;
    const tampered = sampledRow(response, { ...prompt, ids: encodeInt32(ids) });
    await expect(client.forwardBackward(training([tampered]))).rejects.toMatchObject({
      code: "engine.prompt_mismatch",
      exitCode: 4,
    });
  });

  it("stops sampling when the caller leaves, answers health meanwhile, and serves on", async () => {
    const leaving = new AbortController();
    const sampling = client.sample(textRequest(keys(512), 3900), { signal: leaving.signal });
    const outcome = sampling.catch((error: unknown) => error);
    await until(async () => (await client.health()).busy === "sample");
    leaving.abort(new Error("enough"));
    expect(await outcome).toEqual(new Error("enough"));
    await until(async () => (await client.health()).busy === null);
    expect(readFileSync(logFile, "utf8")).toContain("sample was cancelled");
    expect((await client.sample(textRequest([key(3)], 4))).results).toHaveLength(1);
  });

  it("saves, refuses to overwrite, loads, and refuses another pin", async () => {
    const path = join(folder, "checkpoint");
    const saved = await client.save({ path, pins: { prompts: "a" } });
    await expect(client.save({ path, pins: {} })).rejects.toMatchObject({ code: "checkpoint.exists", exitCode: 6 });
    expect(await client.load({ path, pins: { prompts: "a" } })).toEqual(saved);
    await expect(client.load({ path, pins: { prompts: "b" } })).rejects.toMatchObject({ code: "checkpoint.mismatch" });
    const empty = join(folder, "empty");
    mkdirSync(empty);
    await expect(client.load({ path: empty, pins: {} })).rejects.toMatchObject({ exitCode: 6 });
    expect((await client.export({ path: join(folder, "exported"), pins: {} })).bytes).toBeGreaterThan(0);
  });

  it.skipIf(process.platform !== "linux")("keeps its token out of everything it says", async () => {
    const shown = JSON.stringify([client, engine, await client.info()]);
    const log = readFileSync(logFile, "utf8");
    const commandLine = readFileSync(`/proc/${engine.pid}/cmdline`, "utf8");
    const token = /VARFT_ENGINE_TOKEN=([^\0]+)/.exec(readFileSync(`/proc/${engine.pid}/environ`, "utf8"))?.[1];
    expect(token).toMatch(/.{20}/);
    for (const text of [shown, log, commandLine]) expect(text).not.toContain(token);
  });

  it("gives up on a port where nobody answers, with a typed error", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const address = closed.address();
    const port = typeof address === "object" ? address?.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    const nobody = new EngineClient({ url: `http://127.0.0.1:${port}`, token: "t" });
    await expect(nobody.health()).rejects.toMatchObject({ code: "engine.unreachable", retryable: true });
  });
});
