/**
 * What the policy knew before reinforcement learning: how likely it made each right choice.
 */
import type { Decisions } from "../decisions.ts";
import { markup, type Markup } from "./escape.ts";
import { percent } from "./numbers.ts";

export function knewBefore({ decisions }: Decisions): Markup {
  return markup`<section id="knew">
    <h2>What it knew before</h2>
    <p>
      Reinforcement learning sharpens what a policy already does now and then; a choice that it never makes right is
      never rewarded. So the cold start is measured first: the probability that it gives the right choice, beside that of drawing at random.
    </p>
    <div class="wide">
      <table class="bars">
        <thead>
          <tr>
            <th scope="col">decision</th>
            <th scope="col">on tasks of kind</th>
            <th scope="col">right</th>
            <th scope="col" class="scale">probability of the right choice</th>
            <th scope="col">chance</th>
            <th scope="col">tasks</th>
          </tr>
        </thead>
        <tbody>
          ${decisions.map(
            ({ decision, kind, right, chance, count }) =>
              markup`<tr>
                <th scope="row">${decision}</th>
                <td>${kind}</td>
                <td><b>${percent(right)}</b></td>
                <td class="scale">
                  <span class="meter"><i style="width:${percent(right)}%"></i><u style="left:${percent(chance)}%"></u></span>
                </td>
                <td>${percent(chance)}</td>
                <td>${count}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    <p class="note">In percent. The mark in each bar is chance.</p>
  </section> `;
}
