/** A pool served on this machine and used through HTTP, as another host would. */
import { createServer, request } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSandbox } from "../index.ts";
import type { Sandbox } from "../types.ts";
import { openRemoteSandbox } from "./client.ts";
import { type SandboxServer, serveSandbox } from "./server.ts";
import { decodeRun, encodeRun } from "./wire.ts";
import { defaultLimits } from "../limits.ts";

const token = "a token that nobody guesses";
const image = await sharp(new Uint8Array(4 * 3 * 3).fill(9), { raw: { width: 4, height: 3, channels: 3 } })
  .png()
  .toBuffer();
const SLEEP = "import time; time.sleep(1000)";

let pool: Sandbox;
let server: SandboxServer;
let remote: Sandbox;
beforeAll(async () => {
  pool = await openSandbox({ workers: 1 });
  server = await serveSandbox({
    sandbox: pool,
    workers: 1,
    capacity: 2,
    host: "127.0.0.1",
    port: 0,
    token,
    maxBodyBytes: 4 << 20,
  });
  remote = await openRemoteSandbox({ url: server.url, token });
});
afterAll(async () => {
  await remote.close();
  await server.close();
  await pool.close();
});

/** Status of a bare request, with the right token unless told otherwise. */
function statusOf(path: string, headers: Record<string, string> = {}, body?: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    sent.once("error", reject);
    sent.once("response", (response) => (response.resume(), resolve(response.statusCode ?? 0)));
    sent.end(body);
  });
}

/** A forwarder whose connections can be cut. */
async function wire(): Promise<{ url: string; cut(): void; close(): void }> {
  const target = Number(new URL(server.url).port);
  const open = new Set<{ destroy(): void }>();
  const forwarder = createTcpServer((inward) => {
    const outward = connect(target, "127.0.0.1");
    for (const socket of [inward, outward]) {
      open.add(socket);
      socket.on("error", () => {});
    }
    inward.pipe(outward).pipe(inward);
  });
  forwarder.listen(0, "127.0.0.1");
  await once(forwarder, "listening");
  const cut = (): void => {
    for (const socket of open) socket.destroy();
    open.clear();
  };
  return {
    url: `http://127.0.0.1:${(forwarder.address() as AddressInfo).port}`,
    cut,
    close: () => (cut(), forwarder.close()),
  };
}

describe("outcomes", () => {
  test.each([
    [
      "text and an image",
      'print("é")\nimport shutil; shutil.copy("path_to_input_image.jpg", "path_to_output_image.jpg")',
    ],
    ["an exception", "1/0"],
    ["a refused output", 'open("path_to_output_image.jpg", "w").write("no image")'],
    ["bytes that are no text", "import os; os.write(1, b'\\xff' * 100_000)"],
  ])("%s: the same as on the server itself", async (_, source) => {
    const { durationMs: _here, ...local } = await pool.run({ source, image });
    const { durationMs: _there, ...distant } = await remote.run({ source, image });
    expect(distant).toEqual(local);
  });

  test("the server's tier is the client's, and another one is refused", async () => {
    expect(remote.tier).toBe(pool.tier);
    await expect(openRemoteSandbox({ url: server.url, token, tier: "seatbelt" })).rejects.toMatchObject({
      code: "sandbox.tier_unavailable",
    });
  });

  test("limits travel; one out of range is refused before anything is sent", async () => {
    expect(await remote.run({ source: SLEEP, image, limits: { timeoutMs: 200 } })).toMatchObject({ status: "timeout" });
    await expect(remote.run({ source: "1", image, limits: { timeoutMs: -1 } })).rejects.toMatchObject({
      code: "config.bad_limit",
    });
  });

  test("more snippets than the server takes at a time are all served", async () => {
    const others = await openRemoteSandbox({ url: server.url, token });
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        (index % 2 === 0 ? remote : others).run({ source: `print(${index})`, image }),
      ),
    );
    expect(outcomes.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 8 }, (_, index) => `${index}\n`));
  });
});

describe("what goes wrong", () => {
  test("aborting rejects with the reason and frees the server's worker", async () => {
    const controller = new AbortController();
    const running = remote.run({ source: SLEEP, image }, { signal: controller.signal });
    const waiting = remote.run({ source: SLEEP, image }, { signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(await remote.run({ source: "print(1)", image })).toMatchObject({ status: "ok", stdout: "1\n" });
  });

  test("a connection cut mid-snippet is one lost outcome, and the next snippet works", async () => {
    const line = await wire();
    const distant = await openRemoteSandbox({ url: line.url, token });
    const running = distant.run({ source: SLEEP, image });
    await new Promise((resolve) => setTimeout(resolve, 200));
    line.cut();
    expect((await running).status).toBe("lost");
    expect(await distant.run({ source: "print(1)", image })).toMatchObject({ status: "ok", stdout: "1\n" });
    line.close();
    await distant.close();
  });

  test("a server that is gone is a typed error, at opening and later", async () => {
    const line = await wire();
    const distant = await openRemoteSandbox({ url: line.url, token, patienceMs: 200 });
    line.close();
    const gone = { code: "sandbox.unreachable", exitCode: 5, retryable: true };
    await expect(distant.run({ source: "1", image })).rejects.toMatchObject(gone);
    await expect(openRemoteSandbox({ url: line.url, token, patienceMs: 0 })).rejects.toMatchObject(gone);
  });

  test("a closed client rejects", async () => {
    const distant = await openRemoteSandbox({ url: server.url, token });
    await distant.close();
    await expect(distant.run({ source: "1", image })).rejects.toMatchObject({ code: "sandbox.closed" });
  });

  test("a server of another protocol is refused", async () => {
    const other = createServer((_, response) => response.end('{"protocol": 2, "tier": "bubblewrap"}'));
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    await expect(openRemoteSandbox({ url, token })).rejects.toMatchObject({ code: "sandbox.version_mismatch" });
    other.closeAllConnections();
    other.close();
  });

  test.each([
    "ftp://x",
    "nonsense",
    "http://user:secret@127.0.0.1",
    "http://127.0.0.1/?token=secret",
    "http://127.0.0.1/#secret",
  ])("the address %s is refused, unrepeated", async (url) => {
    const opened = openRemoteSandbox({ url, token });
    await expect(opened).rejects.toMatchObject({ code: "config.bad_url" });
    await expect(opened).rejects.not.toThrow("secret");
  });
});

describe("who is let in", () => {
  const run = (
    headers: Record<string, string>,
    body = encodeRun({ source: "1", image }, defaultLimits),
  ): Promise<number> => statusOf("/v1/run", headers, body);

  test("the right token only", async () => {
    expect(await run({})).toBe(200);
    for (const authorization of ["", "Bearer", `Bearer ${token}x`, token])
      expect(await run({ authorization })).toBe(401);
    await expect(openRemoteSandbox({ url: server.url, token: "another token" })).rejects.toMatchObject({
      code: "sandbox.remote_refused",
    });
    expect(await statusOf("/health", { authorization: "" })).toBe(200);
  });

  test("no browser, and no other name for this address", async () => {
    expect(await run({ origin: "http://localhost" })).toBe(403);
    expect(await run({ host: "rebound.example:8765" })).toBe(403);
    expect(await run({ host: "localhost:1" })).toBe(200);
  });

  test("no other route, no body over the cap, no broken frame", async () => {
    expect(await statusOf("/v1/other")).toBe(404);
    expect(await run({}, Buffer.alloc((4 << 20) + 1))).toBe(413);
    const sound = encodeRun({ source: "1", image }, defaultLimits);
    for (const broken of [
      Buffer.alloc(0),
      sound.subarray(0, -1),
      Buffer.concat([sound, image]),
      Buffer.alloc(64, 0x7b),
    ]) {
      expect(await run({}, broken)).toBe(400);
    }
    expect(await run({}, encodeRun({ source: "1", image }, { ...defaultLimits, timeoutMs: 1e9 }))).toBe(400);
  });

  test("a short token is refused, without repeating it", async () => {
    const served = serveSandbox({ sandbox: pool, workers: 1, host: "127.0.0.1", port: 0, token: "hunter2" });
    await expect(served).rejects.toMatchObject({ code: "config.bad_token" });
    await expect(served).rejects.not.toThrow("hunter2");
  });
});

test("a request comes out as it went in", () => {
  const sent = { source: "x = '\u{1F600}'", image: Uint8Array.from([0, 255, 3]) };
  const { source, image: arrived, limits } = decodeRun(encodeRun(sent, defaultLimits));
  expect({ source, image: Uint8Array.from(arrived), limits }).toEqual({ ...sent, limits: defaultLimits });
});
