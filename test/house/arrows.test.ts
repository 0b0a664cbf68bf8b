import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { ARROWS, forbiddenArrows, importCircles } from "./arrows.ts";
import { filesBelow } from "./files.ts";
import { specifiersOf } from "./imports.ts";
import { lockFaults, longFiles, machinePaths, poorHeaders, torchOutsideEngine } from "./rules.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));

describe("the repository", () => {
  test("has files to check", () => {
    expect(filesBelow(repository, "src", [".ts"]).length).toBeGreaterThan(10);
    expect(filesBelow(repository, "engine", [".py"]).length).toBeGreaterThan(1);
  });
  test("rooms know each other in the allowed directions only", () => expect(forbiddenArrows(repository)).toEqual([]));
  test("no files import each other in a circle", () => expect(importCircles(repository)).toEqual([]));
  test("only engine/ and its benchmark import torch", () => expect(torchOutsideEngine(repository)).toEqual([]));
  test("no file is too long", () => expect(longFiles(repository)).toEqual([]));
  test("every room says what lives there and what may not", () => expect(poorHeaders(repository)).toEqual([]));
  test("package-lock.json is complete and names no registry", () => expect(lockFaults(repository)).toEqual([]));
  test("no path of somebody's machine", () => expect(machinePaths(repository)).toEqual([]));
});

test("the table of arrows has no circle", () => {
  const reach = (room: string, seen: readonly string[]): void => {
    expect(seen).not.toContain(room);
    for (const next of ARROWS[room] ?? []) reach(next, [...seen, room]);
  };
  for (const room of Object.keys(ARROWS)) reach(room, []);
});

describe("the rules find what they are for", () => {
  let root = "";
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** A folder with these files. */
  function tree(files: Record<string, string>): string {
    root = mkdtempSync(join(tmpdir(), "varft-house-"));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  }

  test.each([
    ["a value", `import { a } from "../tasks/task.ts";`],
    ["a type", `import type { A } from "../tasks/task.ts";`],
    ["an inline type", `import { type A } from "../tasks/task.ts";`],
    ["a side effect", `import "../tasks/task.ts";`],
    ["a re-export", `export { a } from "../tasks/task.ts";`],
    ["a re-export of everything", `export * from "../tasks/task.ts";`],
    ["a dynamic import", `const x = await import("../tasks/task.ts");`],
    ["an import type", `type A = import("../tasks/task.ts").A;`],
  ])("a forbidden arrow: %s", (_kind, line) => {
    expect(forbiddenArrows(tree({ "src/tools/tool.ts": line, "src/tasks/task.ts": "" }))).toEqual([
      "src/tools/tool.ts -> src/tasks/task.ts: tools may not know tasks",
    ]);
  });

  test("an import in a comment or a string is none", () => {
    expect(specifiersOf("a.ts", `// import "./x.ts"\nconst a = 'import "./y.ts"';\nexport const b = a;`)).toEqual([]);
  });

  test("allowed arrows pass, from a folder within the room too", () => {
    const files = {
      "src/tools/code/index.ts": `import "../../sandbox/types.ts"; import "../tool.ts"; import "../../core/errors.ts"; import "zod";`,
      "src/cli/main.ts": `import "../training/grpo.ts";`,
    };
    expect(forbiddenArrows(tree(files))).toEqual([]);
  });

  test("cli is known by nobody, an unknown room and a way out of src are refused", () => {
    const files = {
      "src/core/a.ts": `import "../cli/main.ts";`,
      "src/attic/b.ts": "",
      "src/runs/c.ts": `import "../../scripts/setup.mjs";`,
      "src/d.ts": "",
    };
    expect(forbiddenArrows(tree(files))).toEqual([
      `src/attic/b.ts: room "attic" is not in the table of arrows`,
      "src/core/a.ts -> src/cli/main.ts: core may not know cli",
      "src/d.ts: every file of src/ belongs to a room",
      "src/runs/c.ts -> scripts/setup.mjs: leaves src/",
    ]);
  });

  test("a file that does not parse is not skipped", () => {
    expect(() => forbiddenArrows(tree({ "src/core/a.ts": "import {" }))).toThrow("src/core/a.ts does not parse");
  });

  test("a circle through types", () => {
    const files = {
      "src/core/a.ts": `import type { B } from "./b.ts";`,
      "src/core/b.ts": `export * from "./c.ts";`,
      "src/core/c.ts": `import "./a.ts";`,
      "src/core/d.ts": `import "./a.ts";`,
    };
    expect(importCircles(tree(files))).toEqual(["src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts"]);
  });

  test("torch outside engine/", () => {
    const files = {
      "engine/a.py": "import torch\n",
      "sandbox/b.py": "import json, torch.nn as nn\n",
      "scripts/c.py": "def f():\n    from torch import Tensor\n",
      "bench/d.py": "# import torch\nimport torchlike\n",
    };
    expect(torchOutsideEngine(tree(files))).toEqual(["sandbox/b.py", "scripts/c.py"]);
  });

  test("a lock file without another platform's package", () => {
    const packages = {
      "node_modules/tool": {
        version: "1.0.0",
        optionalDependencies: { "@tool/linux": "1.0.0", "@tool/darwin": "1.0.0" },
      },
      "node_modules/@tool/linux": { version: "1.0.0", resolved: "http://localhost/linux.tgz" },
    };
    expect(lockFaults(tree({ "package-lock.json": JSON.stringify({ packages }) }))).toEqual([
      "node_modules/tool 1.0.0: lacks @tool/darwin",
      "node_modules/@tool/linux: names http://localhost/linux.tgz",
    ]);
  });

  test("long files, poor headers, machine paths", () => {
    const home = ["", "home", "somebody", "data"].join("/");
    const files = {
      "src/core/README.md": "# Core\n\nWhat everybody shares.\nNo room may be known here.\n",
      "src/runs/README.md": "# Runs\n\nThe run folder.\n",
      "src/tasks/index.ts": "/**\n * Task sets.\n * Each has an id.\n */\n",
      "src/tools/tool.ts": `export const path = "${home}";\n`,
      "src/core/long.ts": "//\n".repeat(351),
    };
    const folder = tree(files);
    expect(longFiles(folder)).toEqual(["src/core/long.ts: 351 lines, at most 350"]);
    expect(machinePaths(folder)).toEqual(["src/tools/tool.ts: /home/somebody/"]);
    expect(poorHeaders(folder)).toEqual([
      "src/runs: the header has 1 line, at least 2 are needed",
      "src/tasks: the header does not say what may not live there",
      "src/tools: no README.md and no opening comment in index.ts",
    ]);
  });
});
