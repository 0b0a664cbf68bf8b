/**
 * What a TypeScript file imports, by an ordinary parser: values, types, re-exports, `import()` and `import("...")` types.
 */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parseSync } from "oxc-parser";

/** Specifiers of a file in order of appearance, for example `["zod", "../core/errors.ts"]`. Throws when the file does not parse. */
export function specifiersOf(path: string, source: string): string[] {
  const { program, errors } = parseSync(path, source);
  if (errors[0] !== undefined) throw new Error(`${path} does not parse: ${errors[0].message}`);
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      node.forEach(visit);
      return;
    }
    if (typeof node !== "object" || node === null) return;
    const { type, source: from } = node as { type?: unknown; source?: { value?: unknown } | null };
    const imports =
      type === "ImportDeclaration" ||
      type === "ExportNamedDeclaration" ||
      type === "ExportAllDeclaration" ||
      type === "ImportExpression" ||
      type === "TSImportType";
    if (imports && typeof from?.value === "string") found.push(from.value);
    Object.values(node).forEach(visit);
  };
  visit(program);
  return found;
}

/** Which files of the repository a file imports, as paths relative to `root`; packages are left out. */
export function importedFiles(root: string, path: string): string[] {
  return specifiersOf(path, readFileSync(join(root, path), "utf8"))
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.normalize(posix.join(posix.dirname(path), specifier)));
}
