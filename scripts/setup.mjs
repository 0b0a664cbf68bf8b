#!/usr/bin/env node
/**
 * `npm run setup`: everything the project needs, into the project folder. Works before `npm ci`, so nothing below imports a package.
 *
 * This file parses on old versions of Node, to be able to say that they are too old; `setup/main.mjs` does the work.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `set-up stopped: Node ${process.versions.node} is too old (setup.node_too_old)\n` +
      `  found:       Node ${process.versions.node} at ${process.execPath}\n` +
      `  needed:      Node >= 20.19\n` +
      `  what to do:  install a newer Node from https://nodejs.org and run this again\n`,
  );
  process.exitCode = 2;
} else {
  void import("./setup/main.mjs").then(({ main }) => main(process.argv.slice(2)));
}
