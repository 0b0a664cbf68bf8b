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
