/** What every PNG file of RGB8 pixels has around its pixel data. */
import { crc32 } from "node:zlib";

export const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");

/** A whole file; `data`: its zlib stream in parts. */
export function pngFile(width: number, height: number, data: readonly Uint8Array[]): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]); // 8 bits a channel, RGB, not interlaced
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([SIGNATURE, ...chunk("IHDR", [header]), ...chunk("IDAT", data), ...chunk("IEND", [])]);
}

function chunk(kind: string, data: readonly Uint8Array[]): Uint8Array[] {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(
    data.reduce((sum, part) => sum + part.length, 0),
    0,
  );
  head.write(kind, 4, "latin1");
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(
    data.reduce((sum, part) => crc32(part, sum), crc32(head.subarray(4))),
    0,
  );
  return [head, ...data, tail];
}

/** Adler-32 (RFC 1950) of `bytes` after data whose sum is `before`; of no data it is 1. */
export function adler32(bytes: Uint8Array, before: number): number {
  let a = before & 0xffff;
  let b = before >>> 16;
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 2048); // both sums stay below 2^31
    for (; at + 4 <= end; at += 4) {
      const word = words.getInt32(at, true);
      const one = word & 0xff;
      const two = (word >> 8) & 0xff;
      const three = (word >> 16) & 0xff;
      const sum = one + two + three + (word >>> 24);
      b += 4 * a + sum + 2 * one + one + 2 * two + three;
      a += sum;
    }
    for (; at < end; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return ((b << 16) | a) >>> 0;
}
