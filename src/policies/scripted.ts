/**
 * A policy that says what it is told, in order: recorded transcripts, and tests.
 */
import { DataError } from "../core/errors.ts";
import type { Completion, Policy } from "./policy.ts";

/** Each session speaks `texts` from the start. Asking for more than there are throws `data.transcript_exhausted`. */
export function scriptedPolicy(texts: readonly string[], source: string): Policy {
  return {
    open() {
      let next = 0;
      return {
        sample() {
          const text = texts[next];
          if (text === undefined) {
            return Promise.reject(
              new DataError(
                "data.transcript_exhausted",
                `${source}: the episode asks for step ${next + 1}, the transcript has ${texts.length}`,
                {
                  hint: "The environment did not end where the recorded one did; look at the last step's observation.",
                },
              ),
            );
          }
          next++;
          const completion: Completion = { text, stopReason: "end", sampled: null, seconds: {} };
          return Promise.resolve(completion);
        },
        close() {},
      };
    },
  };
}
