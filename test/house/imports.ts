/**
 * What a TypeScript file imports, by an ordinary parser: values, types, re-exports, `import()` and `import("...")` types.
 */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parse } from "@babel/parser";

/** Nodes that name another module, and the property that holds its specifier. */
const IMPORTING: Readonly<Record<string, string>> = {
  ImportDeclaration: "source",
  ExportNamedDeclaration: "source",
  ExportAllDeclaration: "source",
  ImportExpression: "source",
  TSImportType: "argument",
};

/** Specifiers of a file in order of appearance, for example `["zod", "../core/errors.ts"]`. Throws when the file does not parse. */
export function specifiersOf(path: string, source: string): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const node = value as Record<string, unknown>;
    const specifier = node[IMPORTING[String(node["type"])] ?? ""] as { value?: unknown } | null | undefined;
    if (typeof specifier?.value === "string") found.push(specifier.value);
    Object.values(node).forEach(visit);
  };
  visit(parsed(path, source));
  return found;
}

function parsed(path: string, source: string): object {
  try {
    return parse(source, {
      sourceType: "module",
      createImportExpressions: true,
      plugins: ["typescript", ...(path.endsWith(".tsx") ? (["jsx"] as const) : [])],
    }).program;
  } catch (error) {
    throw new Error(`${path} does not parse`, { cause: error });
  }
}

/** Which files of the repository a file imports, as paths relative to `root`; packages are left out. */
export function importedFiles(root: string, path: string): string[] {
  return specifiersOf(path, readFileSync(join(root, path), "utf8"))
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.normalize(posix.join(posix.dirname(path), specifier)));
}
