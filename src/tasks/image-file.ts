/**
 * Images that a data file names: below a folder, and found.
 */
import { access } from "node:fs/promises";
import { isAbsolute, join, normalize } from "node:path";
import { z } from "zod";
import { DataError } from "../core/errors.ts";
import { canonicalImage, type CanonicalImage } from "../core/images.ts";
import { readDataFile } from "../core/record-list.ts";

/** Below the images folder: a data file may not point at other images of the reader's disk. */
export const imagePathSchema = z
  .string()
  .min(1)
  .refine((path) => !isAbsolute(path) && normalize(path).split(/[/\\]/)[0] !== "..", "leaves the images folder");

/** Reads `folder/path`; `where` names the record in errors. Throws `data.missing_file`, `data.not_an_image`. */
export async function readImage(folder: string, path: string, where: string): Promise<CanonicalImage> {
  const file = join(folder, path);
  let bytes: Buffer;
  try {
    bytes = await readDataFile(file);
  } catch (cause) {
    throw missingImage(file, where, cause);
  }
  return canonicalImage(bytes, file);
}

/** Null, or the error of an image that is not there; looks without reading. */
export async function absentImage(folder: string, path: string, where: string): Promise<DataError | null> {
  const file = join(folder, path);
  return access(file).then(
    () => null,
    (cause: unknown) => missingImage(file, where, cause),
  );
}

function missingImage(file: string, where: string, cause: unknown): DataError {
  return new DataError("data.missing_file", `${where}: cannot read image ${file}`, {
    hint: "Give the folder that the image paths of the data file are relative to.",
    details: { file },
    cause,
  });
}
