/**
 * What set-up says when it cannot go on: one screen, with what was wrong, both values, what to do next, and an exit code.
 */

/** Exit codes: 2 what the user or the machine's configuration can fix at once, 3 disk, network and failed installations. */
export const EXIT_CONFIG = 2;
export const EXIT_DATA = 3;

/** A failure that a person is meant to read. `facts` are label and value, shown one a line. */
export class SetupFailure extends Error {
  /**
   * @param {string} code for example `setup.python_too_old`
   * @param {string} message what was wrong, one line
   * @param {{exitCode: number, facts?: [string, string][], next: string}} options `next`: what to do, may be several lines
   */
  constructor(code, message, { exitCode, facts = [], next }) {
    super(message);
    this.name = "SetupFailure";
    this.code = code;
    this.exitCode = exitCode;
    this.facts = facts;
    this.next = next;
  }

  /** The whole message as printed. */
  render() {
    const rows = [...this.facts, /** @type {[string, string]} */ (["what to do", this.next])];
    const width = Math.max(...rows.map(([label]) => label.length)) + 1;
    const body = rows.map(([label, value]) => {
      const [first = "", ...rest] = value.split("\n");
      const indent = " ".repeat(width + 4);
      return [`  ${`${label}:`.padEnd(width)}  ${first}`, ...rest.map((line) => indent + line)].join("\n");
    });
    return `set-up stopped: ${this.message} (${this.code})\n${body.join("\n")}\n`;
  }
}
