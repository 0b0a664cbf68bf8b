/**
 * The contact sheet: what the trained policy saw, wrote, ran and answered. Everything in it is model text.
 */
import type { ToolRun, Turn } from "../../core/records.ts";
import type { ShownEpisode } from "../episodes.ts";
import type { Outcome } from "../evaluations.ts";
import { markup, type Content, type Markup } from "./escape.ts";
import { pictureFigure, type Picture } from "./pictures.ts";

/** Code points of one piece of model text that a card shows. */
const MOST_TEXT = 1500;

export function contactSheet(episodes: readonly ShownEpisode[], pictures: ReadonlyMap<string, Picture>): Markup {
  return markup`<section id="episodes">
    <h2>What it does now</h2>
    <p>Of each kind the first two right episodes in task order, and the first wrong one where there is any. Nothing was picked by eye. The code is what the model wrote and the sandbox ran.</p>
    <div class="sheet">${episodes.map((episode) => card(episode, pictures))}</div>
  </section>
  `;
}

function card({ kind, after, before, golds }: ShownEpisode, pictures: ReadonlyMap<string, Picture>): Markup {
  const { rollout } = after;
  const right = after.em === 1;
  const given = rollout.task.images.map((sha256) =>
    pictureOf(pictures, sha256, "given", `the image of ${rollout.taskId}`),
  );
  return markup`<article class="episode ${right ? "right" : "wrong"}">
    <header><b>${kind}</b> <span class="note">${rollout.taskId}</span> <span class="verdict-mark">${right ? "✓ right" : "✗ wrong"}</span></header>
    <div class="flow">${given}${rollout.turns.map((turn) => turnParts(turn, pictures))}</div>
    <footer>
      <span class="question">${clipped(rollout.task.question)}</span>
      <span>answer <b class="answer">${answerOf(after)}</b></span>
      <span>gold <b class="answer">${golds.length === 0 ? "?" : golds.join(" or ")}</b></span>
      <span class="earlier">before <b class="answer">${answerOf(before)}</b> ${before.em === 1 ? "✓" : "✗"}</span>
    </footer>
  </article>
  `;
}

/** An answer is shown with the images; a turn that only answers has no part of its own. */
function turnParts({ step, text, toolRuns }: Turn, pictures: ReadonlyMap<string, Picture>): Content {
  const said = step.actions.map((action): Content => {
    switch (action.type) {
      case "problem":
        return markup`<p class="problems">${action.problems.map((problem) => markup`<span class="chip">${clipped(problem)}</span> `)}</p>`;
      case "code":
        return markup`<pre><code>${clipped(action.source)}</code></pre>`;
      case "search":
        return markup`<p class="query">${clipped(action.query)}</p>`;
      case "answer":
        return null;
    }
  });
  const faulty =
    step.faults.length > 0 &&
    markup`<p class="fault">malformed: ${step.faults.join(", ")}</p><pre>${clipped(text)}</pre>`;
  const failed = toolRuns.filter(({ status }) => status !== "ok").map(failure);
  const parts = [said.filter((part) => part !== null), faulty || [], failed];
  const images = toolRuns.flatMap(({ tool, images }) =>
    images.map((sha256) => pictureOf(pictures, sha256, "made", `what ${tool} made`)),
  );
  return markup`${parts.flat().length > 0 && markup`<div class="said">${parts}</div>`}${images}`;
}

function failure({ tool, status, text }: ToolRun): Markup {
  return markup`<p class="fault">${tool}: ${status}</p>${text !== null && markup`<pre>${clipped(text)}</pre>`}`;
}

function pictureOf(pictures: ReadonlyMap<string, Picture>, sha256: string, caption: string, alt: string): Content {
  const picture = pictures.get(sha256);
  return picture && pictureFigure(picture, caption, alt);
}

function answerOf({ rollout }: Outcome): string {
  return rollout.answer === null ? `none (${rollout.stop})` : clipped(rollout.answer);
}

function clipped(text: string): string {
  const points = [...text];
  return points.length <= MOST_TEXT ? text : `${points.slice(0, MOST_TEXT).join("")}… (${points.length} characters)`;
}
