/** A message's body, gathered piece by piece: one copy of each byte, however small the pieces of whoever sends it are. */
const FIRST_BYTES = 65_536;

export class Body {
  readonly #most: number;
  #held = Buffer.alloc(0);
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** False, with nothing added, when it would be longer than its limit. */
  add(piece: Uint8Array): boolean {
    const length = this.#length + piece.length;
    if (length > this.#most) return false;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(2 * this.#held.length, length, FIRST_BYTES), this.#most));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    this.#held.set(piece, this.#length);
    this.#length = length;
    return true;
  }

  get bytes(): Buffer {
    return this.#held.subarray(0, this.#length);
  }
}
