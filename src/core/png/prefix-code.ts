/** Huffman's code with bounded lengths, as deflate (RFC 1951, 3.2.2) writes it. */

/**
 * Code lengths of symbols that occur `counts[symbol]` times, none above `longest`; 0 for one that does not occur. Huffman's, and where
 * those are too long, the rarest symbols' are evened out. Ties fall to the lower symbol. At least two symbols have to occur.
 */
export function codeLengths(counts: Uint32Array, longest: number): Uint8Array {
  const symbols = Array.from(counts.keys()).filter((symbol) => counts[symbol]! > 0);
  symbols.sort((one, other) => counts[one]! - counts[other]! || one - other);
  const perLength = boundedLengths(depths(symbols.map((symbol) => counts[symbol]!)), longest);
  const lengths = new Uint8Array(counts.length);
  let next = 0;
  for (let length = longest; length > 0; length--) {
    for (let left = perLength[length]!; left > 0; left--) lengths[symbols[next++]!] = length;
  }
  return lengths;
}

/** Depth of each leaf in the Huffman tree of ascending weights. */
function depths(weights: readonly number[]): number[] {
  const leaves = weights.length;
  const weight = [...weights];
  const parent: number[] = [];
  let leaf = 0;
  let inner = leaves;
  for (let node = leaves; node < 2 * leaves - 1; node++) {
    weight[node] = 0;
    for (let child = 0; child < 2; child++) {
      const lighter = leaf < leaves && (inner >= node || weight[leaf]! <= weight[inner]!) ? leaf++ : inner++;
      weight[node]! += weight[lighter]!;
      parent[lighter] = node;
    }
  }
  const depth: number[] = [];
  depth[2 * leaves - 2] = 0;
  for (let node = 2 * leaves - 3; node >= 0; node--) depth[node] = depth[parent[node]!]! + 1;
  return depth.slice(0, leaves);
}

/** How many codes have each length, after bounding: a code moves down for each too many, until the Kraft sum is 1. */
function boundedLengths(all: readonly number[], longest: number): number[] {
  const perLength = Array<number>(longest + 1).fill(0);
  for (const depth of all) perLength[Math.min(depth, longest)]!++;
  let room = 2 ** longest;
  for (let length = 1; length <= longest; length++) room -= perLength[length]! * 2 ** (longest - length);
  for (; room < 0; room++) {
    let shorter = longest - 1;
    while (perLength[shorter] === 0) shorter--;
    perLength[shorter]!--;
    perLength[shorter + 1]! += 2;
    perLength[longest]!--;
  }
  return perLength;
}

/** Canonical codes, least significant bit first as deflate wants them: `code << 4 | length`, 0 for a symbol without code. */
export function prefixCodes(lengths: Uint8Array): Int32Array {
  const codes = new Int32Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= 15; length++, code <<= 1) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] === length) codes[symbol] = (reversed(code++, length) << 4) | length;
    }
  }
  return codes;
}

function reversed(code: number, length: number): number {
  let back = 0;
  for (let bit = 0; bit < length; bit++) back |= ((code >> bit) & 1) << (length - 1 - bit);
  return back;
}
