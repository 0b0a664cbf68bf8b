/** PNG's filters (specification, section 9) Up and Average: the two that both ends do fast, and one of them suits any picture. */

/** Rows of RGB8 pixels, `stride` bytes each. */
export interface Rows {
  rgb: Uint8Array;
  stride: number;
}

export const UP = 2;
export const AVERAGE = 3;
export type Filter = typeof UP | typeof AVERAGE;

/** Every sixteenth row decides for its neighbours. */
const SAMPLED = 16;

/** The filter that leaves rows `from` to `until` (exclusive) smaller, by the sum of absolute differences of some of them. */
export function betterFilter({ rgb, stride }: Rows, from: number, until: number): Filter {
  let up = 0;
  let average = 0;
  for (let row = Math.max(1, from); row < until; row += SAMPLED) {
    const end = (row + 1) * stride;
    for (let at = row * stride + 3; at < end; at++) {
      const above = rgb[at - stride]!;
      const value = rgb[at]!;
      up += Math.abs(((value - above) << 24) >> 24);
      average += Math.abs(((value - ((rgb[at - 3]! + above) >> 1)) << 24) >> 24);
    }
  }
  return up <= average ? UP : AVERAGE;
}

/** Writes filtered rows, the filter's number before each, to `to`; gives the number of bytes written. */
export function filterRows(rows: Rows, from: number, until: number, filter: Filter, to: Uint8Array): number {
  const { rgb, stride } = rows;
  let target = 0;
  for (let row = from; row < until; row++, target += 1 + stride) {
    to[target] = filter;
    if (row === 0) filterFirstRow(rgb.subarray(0, stride), filter, to);
    else filterRow(rows, row * stride, filter, to, target + 1);
  }
  return target;
}

/** Above it there is nothing. */
function filterFirstRow(line: Uint8Array, filter: Filter, to: Uint8Array): void {
  for (let at = 0; at < line.length; at++) to[1 + at] = line[at]! - (filter === UP || at < 3 ? 0 : line[at - 3]! >> 1);
}

/** The row that starts at `start`: three bytes without anything to the left, four at once, and what is left over. */
function filterRow({ rgb, stride }: Rows, start: number, filter: Filter, to: Uint8Array, target: number): void {
  const average = filter === AVERAGE ? 1 : 0;
  for (let at = 0; at < 3; at++) to[target + at] = rgb[start + at]! - (rgb[start + at - stride]! >> average);
  const pixels = new DataView(rgb.buffer, rgb.byteOffset, rgb.length);
  const filtered = new DataView(to.buffer, to.byteOffset, to.length);
  const shift = target - start;
  const end = start + stride;
  let at = start + 3;
  if (filter === UP) {
    for (; at + 4 <= end; at += 4) {
      const above = pixels.getInt32(at - stride, true);
      filtered.setInt32(at + shift, minus(pixels.getInt32(at, true), above), true);
    }
  } else {
    for (; at + 4 <= end; at += 4) {
      const above = pixels.getInt32(at - stride, true);
      const left = pixels.getInt32(at - 3, true);
      const mean = (above & left) + (((above ^ left) >>> 1) & 0x7f7f7f7f);
      filtered.setInt32(at + shift, minus(pixels.getInt32(at, true), mean), true);
    }
  }
  for (; at < end; at++) {
    const above = rgb[at - stride]!;
    to[at + shift] = rgb[at]! - (filter === UP ? above : (rgb[at - 3]! + above) >> 1);
  }
}

/** Byte by byte modulo 256, four at once: bits 0 to 6 by a subtraction that borrows from none, bit 7 by hand. */
function minus(one: number, other: number): number {
  return ((one | 0x80808080) - (other & 0x7f7f7f7f)) ^ ((one ^ ~other) & 0x80808080);
}
