/**
 * Evidence: what a service said while a rollout was scored, kept in the part's `detail.evidence`. A finished run is scored again
 * from it, without the services.
 *
 * `{embedding: {model, vectors: {sha256 of the text: base64 float32 [D]}}, judge: {model, replies: {sha256 of the question: text}}}`
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { decodeFloat32, encodeFloat32 } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";
import type { ScoreRecord } from "../core/records.ts";
import type { AskJudge, Embed, JudgeQuestion, Needs, Services, VerifierContext } from "./verifier.ts";

const texts = z.record(z.string(), z.string());
const evidenceSchema = z.object({
  embedding: z.object({ model: z.string(), vectors: texts }).optional(),
  judge: z.object({ model: z.string(), replies: texts }).optional(),
});

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Name of a question in the evidence. */
function questionKey({ system, user }: JudgeQuestion): string {
  return sha256(JSON.stringify([system, user]));
}

/** Services that note what they answer. One recorder for one verifier and one rollout. */
export class EvidenceRecorder {
  readonly services: Partial<Pick<VerifierContext, "embed" | "judge">>;
  readonly #vectors: Record<string, string> = {};
  readonly #replies: Record<string, string> = {};
  readonly #given: Services;

  constructor(given: Services) {
    this.#given = given;
    const { embedding, judge } = given;
    this.services = {
      ...(embedding === undefined ? {} : { embed: this.#noting(embedding.embed) }),
      ...(judge === undefined ? {} : { judge: this.#asking(judge.ask) }),
    };
  }

  /** `{evidence}`, or nothing when no service was asked. Keys are sorted: the order of asking does not show. */
  detail(): Record<string, unknown> {
    const { embedding, judge } = this.#given;
    const vectors = sorted(this.#vectors);
    const replies = sorted(this.#replies);
    const evidence = {
      ...(embedding === undefined || vectors === null ? {} : { embedding: { model: embedding.model, vectors } }),
      ...(judge === undefined || replies === null ? {} : { judge: { model: judge.model, replies } }),
    };
    return Object.keys(evidence).length === 0 ? {} : { evidence };
  }

  #noting(embed: Embed): Embed {
    return async (given) => {
      const vectors = await embed(given);
      given.forEach((text, index) => {
        const vector = vectors[index];
        if (vector !== undefined) this.#vectors[sha256(text)] = encodeFloat32(vector);
      });
      return vectors;
    };
  }

  #asking(ask: AskJudge): AskJudge {
    return async (question) => {
      const reply = await ask(question);
      this.#replies[questionKey(question)] = reply;
      return reply;
    };
  }
}

function sorted(values: Record<string, string>): Record<string, string> | null {
  const keys = Object.keys(values).sort();
  return keys.length === 0 ? null : Object.fromEntries(keys.map((key) => [key, values[key] ?? ""]));
}

/** Everything that the services of a run have said, by model. */
export class EvidenceStore {
  readonly #vectors = new Map<string, string>();
  readonly #replies = new Map<string, string>();

  /** Takes what a score record holds. */
  add(score: ScoreRecord): void {
    for (const { detail } of score.parts) {
      const parsed = evidenceSchema.safeParse(detail["evidence"]);
      if (!parsed.success) continue;
      const { embedding, judge } = parsed.data;
      for (const [key, vector] of Object.entries(embedding?.vectors ?? {})) {
        this.#vectors.set(`${embedding?.model}\n${key}`, vector);
      }
      for (const [key, reply] of Object.entries(judge?.replies ?? {})) {
        this.#replies.set(`${judge?.model}\n${key}`, reply);
      }
    }
  }

  /** Services that answer from here, else ask `live`; without those they throw `data.no_evidence` for what was never asked. */
  services(needs: Needs, live: Services = {}): Services {
    const { embedding, judge } = needs;
    return {
      ...(embedding === undefined
        ? {}
        : {
            embedding: {
              model: embedding.model,
              embed: (given) => this.#embed(embedding.model, given, live.embedding?.embed),
            },
          }),
      ...(judge === undefined
        ? {}
        : { judge: { model: judge.model, ask: (question) => this.#ask(judge.model, question, live.judge?.ask) } }),
    };
  }

  #embed(model: string, given: readonly string[], live?: Embed): Promise<Float32Array[]> {
    return Promise.all(
      given.map(async (text) => {
        const found = this.#vectors.get(`${model}\n${sha256(text)}`);
        if (found !== undefined) return decodeFloat32(found);
        const [asked] = (await live?.([text])) ?? [];
        if (asked !== undefined) return asked;
        throw noEvidence(`${model} embedded no ${JSON.stringify(text.slice(0, 80))}`);
      }),
    );
  }

  async #ask(model: string, question: JudgeQuestion, live?: AskJudge): Promise<string> {
    const found = this.#replies.get(`${model}\n${questionKey(question)}`) ?? (await live?.(question));
    if (found !== undefined) return found;
    throw noEvidence(`judge ${model} was never asked ${JSON.stringify(question.user.slice(0, 80))}`);
  }
}

function noEvidence(what: string): DataError {
  return new DataError("data.no_evidence", `the run's scores hold no evidence for this: ${what}`, {
    hint: "Keep the model that the run was scored with, or let the services be asked: --ask.",
  });
}
