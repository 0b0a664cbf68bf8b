/**
 * What was opened is closed in reverse, once, also when opening the rest has failed.
 */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];

  add(closer: () => Promise<void>): void {
    this.#closers.push(closer);
  }

  readonly close = async (): Promise<void> => {
    for (const closer of this.#closers.splice(0).toReversed()) await closer();
  };
}
