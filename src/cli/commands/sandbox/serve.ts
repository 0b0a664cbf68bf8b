/**
 * `varft sandbox serve`: this machine's sandbox for hosts that cannot confine code themselves.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Command } from "commander";
import { ConfigError, type SandboxError } from "../../../core/errors.ts";
import { openSandbox } from "../../../sandbox/index.ts";
import { isLoopback, serveSandbox } from "../../../sandbox/remote/server.ts";
import { checkedToken, MIN_TOKEN_CHARACTERS, TOKEN_VARIABLE } from "../../../sandbox/remote/wire.ts";
import type { SandboxTier } from "../../../sandbox/types.ts";
import { port as parsePort, positive, tierOption } from "./options.ts";

const HELP = `
The token comes from ${TOKEN_VARIABLE} (at least ${MIN_TOKEN_CHARACTERS} characters); on a loopback address one is made when it is absent.
Clients set the same variable, and sandbox.url in their recipe or --url of varft sandbox run. Traffic is not encrypted: on
an untrusted network put a TLS proxy or an SSH tunnel in front.`;

interface ServeFlags {
  host: string;
  port: number;
  workers: number;
  tier?: SandboxTier;
}

export function serveCommand(signal: AbortSignal): Command {
  return new Command("serve")
    .description("Run snippets for other hosts, over HTTP with a token.")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <n>", "port to listen on; 0: any free one", parsePort, 8765)
    .option("--workers <n>", "snippets at a time", positive, availableParallelism())
    .addOption(tierOption())
    .addHelpText("after", HELP)
    .action((flags: ServeFlags) => serve(flags, signal));
}

async function serve({ host, port, workers, tier }: ServeFlags, signal: AbortSignal): Promise<void> {
  const given = process.env[TOKEN_VARIABLE] ?? "";
  if (given === "" && !isLoopback(host)) {
    throw new ConfigError(
      "config.no_token",
      `--host ${host} is reachable from other machines, and ${TOKEN_VARIABLE} is not set`,
      {
        hint: `Set ${TOKEN_VARIABLE} to a random string of at least ${MIN_TOKEN_CHARACTERS} characters.`,
      },
    );
  }
  const token = given === "" ? randomBytes(24).toString("base64url") : given;
  checkedToken(token);
  const sandbox = await openSandbox({ workers, ...(tier === undefined ? {} : { tier }) });
  try {
    const broken = new AbortController();
    const onBroken = (error: SandboxError): void => broken.abort(error);
    const server = await serveSandbox({ sandbox, workers, host, port, token, onBroken });
    process.stdout.write(`sandbox ${sandbox.tier}, ${workers} at a time, on ${server.url}\n`);
    if (given === "") process.stdout.write(`${TOKEN_VARIABLE}=${token}\n`);
    const ended = AbortSignal.any([signal, broken.signal]);
    if (!ended.aborted) await once(ended, "abort");
    await server.close();
    broken.signal.throwIfAborted();
  } finally {
    await sandbox.close();
  }
}
