/**
 * Child processes of set-up: output to the log and the last of it in memory, all ended when set-up is interrupted.
 */
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

/** Ends every child that still runs. */
export function stopChildren() {
  for (const child of running) child.kill("SIGTERM");
}

const KEPT_CHARACTERS = 200_000;

/**
 * Runs a command to its end. `code` is null when a signal ended it; `output` is stdout and stderr together, the last 200,000 characters.
 * A command that does not exist has code 127.
 * @param {string} command
 * @param {string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, input?: string, log?: string, onLine?: (line: string) => void}} [options]
 * @returns {Promise<{code: number | null, stdout: string, output: string}>}
 */
export function runProcess(command, args, { env = process.env, cwd, input, log, onLine } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
    running.add(child);
    let output = "";
    let stdout = "";
    let line = "";
    if (log !== undefined) appendLog(log, `\n$ ${[command, ...args].join(" ")}\n`);
    /** @param {string} text */
    const take = (text) => {
      output = (output + text).slice(-KEPT_CHARACTERS);
      if (log !== undefined) appendLog(log, text);
      const lines = (line + text).split(/\r?\n/);
      line = lines.pop() ?? "";
      if (onLine !== undefined) lines.forEach(onLine);
    };
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      take(text);
    });
    child.stderr?.setEncoding("utf8").on("data", take);
    child.stdin?.on("error", () => {}); // a child that ends before it has read its input says so by its exit code
    child.stdin?.end(input);
    child.on("error", (error) => {
      running.delete(child);
      resolve({ code: 127, stdout, output: `${output}${error.message}` });
    });
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code, stdout, output });
    });
  });
}

/** The log must not hide why set-up fails: on a full disk it is what fails first. @param {string} log @param {string} text */
function appendLog(log, text) {
  try {
    appendFileSync(log, text);
  } catch {
    // the command's own output still reaches the message
  }
}
