/**
 * Numeric arrays as base64 of little-endian bytes: the one form for per-token arrays, on the wire and in records.
 * Bit-exact, four bytes a value, where JSON numbers would cost about twenty.
 */
import { DataError } from "./errors.ts";

function toBase64(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64");
}

function fromBase64(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length % 4 !== 0) {
    throw new DataError("data.bad_array", `${what}: expected a multiple of 4 bytes, got ${bytes.length}`, {
      details: { bytes: bytes.length },
    });
  }
  return bytes;
}

/** Token ids [T] to base64 int32. `encodeInt32([1, 2]) === "AQAAAAIAAAA="` */
export function encodeInt32(values: ArrayLike<number>): string {
  return toBase64(Int32Array.from(values));
}

/** Base64 int32 to token ids [T]. Throws `data.bad_array` when the byte count is no multiple of 4. */
export function decodeInt32(text: string): Int32Array {
  const bytes = fromBase64(text, "int32 array");
  return new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Floats [T] to base64 float32 (rounded to nearest). */
export function encodeFloat32(values: ArrayLike<number>): string {
  return toBase64(Float32Array.from(values));
}

/** Base64 float32 to floats [T]. Throws `data.bad_array` when the byte count is no multiple of 4. */
export function decodeFloat32(text: string): Float32Array {
  const bytes = fromBase64(text, "float32 array");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
