/** Servers that are none, or want harm, and clients that stall, swarm and never read: each against the real other side. */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { SandboxError } from "../../core/errors.ts";
import { defaultLimits } from "../limits.ts";
import type { Sandbox, SnippetOutcome, SnippetRequest } from "../types.ts";
import { Body } from "./body.ts";
import { openRemoteSandbox } from "./client.ts";
import { exchange } from "./exchange.ts";
import { type SandboxServer, serveSandbox } from "./server.ts";
import { encodeOutcome, encodeRun } from "./wire.ts";

const token = "a token that nobody guesses";
const image = new Uint8Array(100);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const open = new Set<{ close(): unknown }>();
afterEach(async () => {
  await Promise.all([...open].map((one) => one.close()));
  open.clear();
});

describe("a token that no header can carry is refused on both sides, unrepeated", () => {
  test.each([
    ["line end", `${token}\n`],
    ["umlaut", `${token}ü`],
    ["length", "x".repeat(20_000)],
  ])("%s", async (_, bad) => {
    for (const refused of [
      openRemoteSandbox({ url: "http://127.0.0.1:1", token: bad }),
      serveSandbox({ sandbox: echo(), workers: 1, host: "127.0.0.1", port: 0, token: bad }),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: "config.bad_token" });
      await expect(refused).rejects.not.toThrow(bad.slice(0, 20));
    }
  });
});

/** Listens; its address. */
async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.add({ close: () => (sockets.forEach((socket) => socket.destroy()), server.close()) });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An HTTP server that greets as it should, and treats snippets as it likes. */
function greeting(then: (response: ServerResponse) => void): Promise<string> {
  const hello = { protocol: 1, version: "1", tier: "landlock", workers: 2, capacity: 2 };
  return listening(
    createServer((asked, response) => {
      response.on("error", () => {});
      asked.resume();
      if (asked.url === "/v1/hello") response.end(JSON.stringify(hello));
      else asked.on("end", () => then(response));
    }),
  );
}

/** Writes until the other side hangs up; how much went out. */
function flood(response: ServerResponse, piece: Buffer): () => number {
  let sent = 0;
  const go = (): void => {
    for (let more = true; more && !response.destroyed; sent += piece.length) more = response.write(piece);
  };
  response.on("drain", go);
  go();
  return () => sent;
}

const answered = encodeOutcome({
  status: "ok",
  stdout: "",
  stderr: "",
  truncated: false,
  exception: null,
  output: { kind: "none" },
  durationMs: 1,
});

describe("opening what is no server of ours", () => {
  const http = (answer: (response: ServerResponse, asked: IncomingMessage) => void): Promise<string> =>
    listening(createServer((asked, response) => answer(response, asked)));
  test.each<[string, () => Promise<string>, string]>([
    ["one that says nothing", () => http(() => {}), "unreachable"],
    ["one that hangs up", () => listening(createTcpServer((socket) => socket.destroy())), "unreachable"],
    ["another protocol", () => listening(createTcpServer((socket) => socket.end("SSH-2.0-x\r\n"))), "unreachable"],
    ["plain HTTP called by TLS", async () => (await http(() => {})).replace("http:", "https:"), "unreachable"],
    ["a greeting without end", () => http((response) => flood(response, Buffer.alloc(65_536, 32))), "unreachable"],
    ["a web page", () => http((response) => response.end("<html>")), "version_mismatch"],
    ["a redirect", () => http((response) => response.writeHead(302, { location: "/x" }).end()), "remote_refused"],
  ])("%s is a typed error that says what to check", async (_, start, reason) => {
    await expect(openRemoteSandbox({ url: await start(), token, patienceMs: 300 })).rejects.toMatchObject({
      code: `sandbox.${reason}`,
      hint: expect.stringContaining("sandbox.url"),
    });
  });

  test("a server's own words can be read and do no more", async () => {
    const words = {
      code: "config.x\u001b[31m",
      message: "\u001b]0;title\u0007\u202eevil\nline",
      hint: "a\rb",
      details: {},
      retryable: true,
    };
    const url = await http((response) => response.writeHead(500).end(JSON.stringify(words)));
    await expect(openRemoteSandbox({ url, token })).rejects.toMatchObject({
      code: "sandbox.remote_refused",
      exitCode: 5,
      message: "the sandbox server says:  ]0;title evil line",
      hint: "a b",
    });
  });
});

describe("a server that wants harm", () => {
  const limits = { imagePixels: 1000, outputBytes: 1000 };

  test("an answer beyond the limits is cut off, and lost", async () => {
    let sent = (): number => 0;
    const url = await greeting((response) => (sent = flood(response, Buffer.alloc(65_536))));
    const remote = await openRemoteSandbox({ url, token, limits });
    expect((await remote.run({ source: "1", image })).status).toBe("lost");
    expect(sent()).toBeLessThan(64 << 20); // what the kernel's buffers took
  });

  test("however small its pieces, a body is kept once", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), fc.nat(200), (pieces, most) => {
        const body = new Body(most);
        const taken = pieces.filter((piece) => body.add(piece));
        expect(Buffer.concat(taken).equals(body.bytes)).toBe(true);
        expect(body.bytes.length).toBeLessThanOrEqual(most);
        expect(body.bytes.buffer.byteLength).toBeLessThanOrEqual(most);
      }),
    );
  });

  test.each([500, 502, 504])(
    "status %d time after time, as from a proxy before nothing, ends the run; now and then it is a lost snippet",
    async (status) => {
      let sound = false;
      const url = await greeting((response) =>
        sound ? response.end(answered) : response.writeHead(status).end("<html>"),
      );
      const remote = await openRemoteSandbox({ url, token });
      const run = (): Promise<SnippetOutcome> => remote.run({ source: "1", image });
      for (let count = 0; count < 20; count++) {
        sound = count % 3 === 2;
        expect((await run()).status).toBe(sound ? "ok" : "lost");
      }
      sound = false;
      const more = async (): Promise<never> => {
        for (;;) await run();
      };
      await expect(more()).rejects.toMatchObject({ code: "sandbox.broken", retryable: true });
    },
  );

  test("silence ends an exchange; signs of life keep it", async () => {
    const ask = { maxReplyBytes: 100, silenceMs: 300 };
    const url = await greeting((response) => {
      const signs = setInterval(() => response.writeProcessing(), 50);
      setTimeout(() => (clearInterval(signs), response.end("late")), 900);
    });
    expect((await exchange(new URL("v1/run", url), token, ask)).body.toString()).toBe("late");
    const silent = await greeting(() => {});
    await expect(exchange(new URL("v1/run", silent), token, ask)).rejects.toThrow("no word for 0.3 s");
  });
});

/** Answers at once, but for `hold`, which waits for `release`; keeps the order of what it was given. */
function echo(): Sandbox & { order: string[]; release(): void } {
  const order: string[] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  return {
    tier: "landlock",
    order,
    release: () => release(),
    async run({ source }: SnippetRequest, { signal } = {}) {
      order.push(source);
      const left = new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
      if (source === "hold") await Promise.race([held, left]);
      signal?.throwIfAborted();
      const rgb = source === "large" ? new Uint8Array(48e6) : new Uint8Array(3);
      const side = source === "large" ? 4000 : 1;
      const output = { kind: "image", width: side, height: side, rgb } as const;
      return { status: "ok", stdout: source, stderr: "", truncated: false, exception: null, output, durationMs: 1 };
    },
    close: () => Promise.resolve(),
  };
}

describe("clients that are many, slow or gone", () => {
  async function serve(sandbox: Sandbox, options = {}): Promise<SandboxServer> {
    const server = await serveSandbox({
      sandbox,
      workers: 1,
      capacity: 1,
      host: "127.0.0.1",
      port: 0,
      token,
      ...options,
    });
    open.add(server);
    return server;
  }

  /** A bare connection that has sent the first `bytes` of a request. */
  function half(server: SandboxServer, source: string, bytes?: number): Socket {
    const body = encodeRun({ source, image }, defaultLimits);
    const head = `POST /v1/run HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-length: ${body.length}\r\n\r\n`;
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1").on("error", () => {});
    socket.write(head);
    socket.write(body.subarray(0, bytes));
    open.add({ close: () => socket.destroy() });
    return socket;
  }

  test("a client with many snippets does not crowd out one with few: first come, first served", async () => {
    const sandbox = echo();
    const server = await serve(sandbox);
    const [greedy, modest] = [
      await openRemoteSandbox({ url: server.url, token }),
      await openRemoteSandbox({ url: server.url, token }),
    ];
    const runs = [greedy.run({ source: "hold", image })];
    while (sandbox.order.length === 0) await pause(5);
    runs.push(modest.run({ source: "modest", image }));
    await pause(100);
    for (let count = 0; count < 5; count++) runs.push(greedy.run({ source: "more", image }));
    const third = await openRemoteSandbox({ url: server.url, token });
    runs.push(third.run({ source: "third", image }));
    await pause(100);
    sandbox.release();
    await Promise.all(runs);
    expect(sandbox.order.indexOf("modest")).toBe(1);
    expect(sandbox.order.indexOf("third")).toBeLessThanOrEqual(3);
  });

  test("whoever stalls while sending makes room for the next", async () => {
    const server = await serve(echo(), { stallMs: 200 });
    const staller = half(server, "1", 10);
    await once(staller, "ready");
    const remote = await openRemoteSandbox({ url: server.url, token });
    expect((await remote.run({ source: "next", image })).stdout).toBe("next");
  });

  test("an answer that nobody takes yet holds its place: memory is bounded", async () => {
    const sandbox = echo();
    const server = await serve(sandbox);
    const unread = half(server, "large").pause();
    while (sandbox.order.length === 0) await pause(5);
    const remote = await openRemoteSandbox({ url: server.url, token });
    const next = remote.run({ source: "next", image });
    await pause(200);
    expect(sandbox.order).toEqual(["large"]);
    unread.destroy();
    expect((await next).stdout).toBe("next");
  });

  test("whoever does not take its answer at all makes room for the next", async () => {
    const sandbox = echo();
    const server = await serve(sandbox, { stallMs: 200 });
    half(server, "large").pause();
    while (sandbox.order.length === 0) await pause(5);
    const remote = await openRemoteSandbox({ url: server.url, token });
    expect((await remote.run({ source: "next", image })).stdout).toBe("next");
  });

  test("a queue beyond all bounds is told to come again; those who left it cost nothing", async () => {
    const sandbox = echo();
    const server = await serve(sandbox);
    const waiting = [half(server, "hold")];
    while (sandbox.order.length === 0) await pause(5);
    for (let count = 0; count < 256; count++) waiting.push(half(server, "hold"));
    for (const socket of waiting) if (socket.connecting) await once(socket, "connect");
    await pause(100);
    const status = new Promise<[number, string]>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      const sent = request(`${server.url}/v1/run`, { method: "POST", headers, agent: false });
      sent.once("error", reject);
      sent.once("response", (response) => {
        response.resume();
        resolve([response.statusCode ?? 0, String(response.headers["retry-after"])]);
      });
      sent.end("x");
    });
    expect(await status).toEqual([429, "1"]);
    for (const socket of waiting) socket.destroy();
    const remote = await openRemoteSandbox({ url: server.url, token });
    expect((await remote.run({ source: "next", image })).stdout).toBe("next");
  });

  test("a pool that gave up is told to whoever serves it, after its client", async () => {
    const gone = new SandboxError("sandbox.broken", "no more workers");
    const told: unknown[] = [];
    const sandbox = { ...echo(), run: () => Promise.reject(gone) };
    const server = await serve(sandbox, { onBroken: (error: unknown) => told.push(error) });
    const remote = await openRemoteSandbox({ url: server.url, token });
    await expect(remote.run({ source: "1", image })).rejects.toMatchObject({ code: "sandbox.broken" });
    expect(told).toEqual([gone]);
  });

  test("many snippets under way bring no warning", async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", note);
    const server = await serve(echo(), { capacity: 40 });
    const remote = await openRemoteSandbox({ url: server.url, token });
    await Promise.all(Array.from({ length: 40 }, () => remote.run({ source: "1", image })));
    await pause(10);
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });
});
