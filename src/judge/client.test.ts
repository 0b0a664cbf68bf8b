import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { VarftError } from "../core/errors.ts";
import { judgeClient, type JudgeSettings } from "./client.ts";

const KEY = "sk-test-0123456789abcdef";
type Handler = (request: IncomingMessage, response: ServerResponse, body: Record<string, unknown>) => void;

let server: Server;
let handlers: Handler[];
let seen: { url: string; authorization: string | undefined; body: Record<string, unknown> }[];

beforeEach(async () => {
  handlers = [];
  seen = [];
  vi.stubEnv("TEST_JUDGE_KEY", KEY);
  server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      const body = JSON.parse(text) as Record<string, unknown>;
      seen.push({ url: request.url ?? "", authorization: request.headers.authorization, body });
      // The last handler answers every further call.
      (handlers.length > 1 ? handlers.shift() : handlers[0])?.(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const completion = (content: unknown): string =>
  JSON.stringify({
    id: "c",
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content } }],
  });

const send =
  (status: number, body: string, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  };

const says = (content: unknown): Handler => send(200, completion(content));

function judge(changes: Partial<JudgeSettings> = {}, signal?: AbortSignal): ReturnType<typeof judgeClient> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const plain = {
    model: "m",
    url,
    keyVariable: "TEST_JUDGE_KEY",
    maxTokens: 64,
    timeoutMs: 20_000,
    retries: 2,
    concurrency: 4,
  };
  return judgeClient({ ...plain, ...changes }, signal);
}

const QUESTION = { system: "grade", user: "42?" };

async function failure(asking: Promise<string>): Promise<VarftError> {
  const error: unknown = await asking.catch((thrown: unknown) => thrown);
  if (error instanceof VarftError) return error;
  throw new Error(`no typed error: ${String(error)}`);
}

describe("what is sent", () => {
  it("is a chat completion at temperature 0 with the key in one header", async () => {
    handlers = [says("fine")];
    expect(await judge()(QUESTION)).toBe("fine");
    expect(seen[0]).toMatchObject({
      url: "/v1/chat/completions",
      authorization: `Bearer ${KEY}`,
      body: {
        model: "m",
        temperature: 0,
        max_tokens: 64,
        messages: [
          { role: "system", content: "grade" },
          { role: "user", content: "42?" },
        ],
      },
    });
    expect(JSON.stringify(seen[0]?.body)).not.toContain(KEY);
  });

  it("is sent once for equal questions, also at the same time", async () => {
    handlers = [says("fine")];
    const ask = judge();
    await Promise.all([ask(QUESTION), ask(QUESTION), ask({ ...QUESTION, user: "43?" })]);
    await ask(QUESTION);
    expect(seen).toHaveLength(2);
  });

  it("is never more at once than allowed", async () => {
    let running = 0;
    let most = 0;
    handlers = [
      (_, response) => {
        most = Math.max(most, ++running);
        setTimeout(() => {
          running--;
          response.writeHead(200, { "content-type": "application/json" }).end(completion("ok"));
        }, 20);
      },
    ];
    const ask = judge({ concurrency: 2 });
    await Promise.all(Array.from({ length: 7 }, (_, index) => ask({ system: "s", user: String(index) })));
    expect(seen).toHaveLength(7);
    expect(most).toBe(2);
  });

  it("waits for nothing without its key, and names the variable", async () => {
    vi.stubEnv("TEST_JUDGE_KEY", "");
    expect(() => judge()(QUESTION)).toThrow(expect.objectContaining({ code: "config.no_judge_key" }) as Error);
    handlers = [says("fine")];
    expect(await judge({ keyVariable: null })(QUESTION)).toBe("fine");
  });
});

describe("what may succeed later is asked again", () => {
  it("429: not before the time that the server names", async () => {
    // The server itself enforces it: a call that comes too early is refused for good.
    let opensAt = Infinity;
    handlers = [
      (_, response) => {
        opensAt = Date.now() + 1000;
        response.writeHead(429, { "retry-after": "1" }).end("{}");
      },
      (request, response, body) =>
        (Date.now() >= opensAt - 5 ? says("fine") : send(400, "{}"))(request, response, body),
    ];
    expect(await judge({ retries: 1 })(QUESTION)).toBe("fine");
  });

  it.each<[string, Handler]>([
    ["500", send(500, '{"error": {"message": "oops"}}')],
    ["429 at once", send(429, "{}", { "retry-after": "0" })],
    ["truncated JSON", send(200, completion("fine").slice(0, 30))],
    ["a body that breaks off", (_, response) => void response.writeHead(200, { "content-length": "500" }).write("{")],
    ["wrong types", send(200, '{"choices": "none"}')],
    ["no content", send(200, completion(7))],
    ["a closed connection", (request) => void request.socket.destroy()],
  ])("%s", async (_, handler) => {
    const breaking: Handler = (request, response, body) => {
      handler(request, response, body);
      if (!response.writableEnded) setTimeout(() => request.socket.destroy(), 10);
    };
    handlers = [breaking, says("fine")];
    expect(await judge({ retries: 1 })(QUESTION)).toBe("fine");
    expect(seen).toHaveLength(2);
  });
});

describe("what does not succeed is a typed error without the key", () => {
  it.each<[string, Handler, string, number]>([
    ["a key that the server quotes", send(401, `{"error": {"message": "bad key ${KEY}"}}`), "judge.refused", 1],
    ["an unknown model", send(404, '{"error": {"message": "no model m"}}'), "judge.refused", 1],
    ["load that does not end", send(503, "{}", { "retry-after": "0" }), "judge.unreachable", 3],
    ["a wait of a day", send(429, "{}", { "retry-after": "86400" }), "judge.unreachable", 1],
    ["wrong types to the end", send(200, "[]", {}), "judge.bad_response", 2],
  ])("%s", async (_, handler, code, calls) => {
    handlers = [handler];
    const error = await failure(judge(code === "judge.bad_response" ? { retries: 1 } : {})(QUESTION));
    expect(error.code).toBe(code);
    expect(seen).toHaveLength(calls);
    const everything = `${JSON.stringify(error)} ${error.stack ?? ""} ${String(error.cause)}`;
    expect(everything).not.toContain(KEY);
    expect(everything).toContain("judge m at http://127.0.0.1");
  });

  it("a slow server", async () => {
    handlers = [() => {}];
    expect(await failure(judge({ timeoutMs: 50, retries: 1 })(QUESTION))).toMatchObject({ code: "judge.unreachable" });
    expect(seen).toHaveLength(2);
  });

  it("a failure is not remembered", async () => {
    handlers = [send(400, "{}"), says("fine")];
    const ask = judge();
    expect((await failure(ask(QUESTION))).code).toBe("judge.refused");
    expect(await ask(QUESTION)).toBe("fine");
  });

  it("an abort ends the call and the pause between two", async () => {
    const interrupt = new AbortController();
    handlers = [send(429, "{}", { "retry-after": "500" })];
    const asking = judge({}, interrupt.signal)(QUESTION);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    interrupt.abort(new Error("told to stop"));
    await expect(asking).rejects.toThrow("told to stop");
  });
});
