/**
 * What `--sweep` and `--seeds` mean: recipe keys with values, and their cross product.
 */
import { isNode, parseDocument, parse as parseYaml } from "yaml";
import { ConfigError } from "../core/errors.ts";

/** A recipe key and what it is set to, as it was written. */
export interface Sweep {
  key: string;
  values: string[];
}

/** A value of each swept key, by key, as written. */
export type SettingValues = Record<string, string>;

const EXAMPLE = "For example --sweep training.learningRate=1e-4,2e-4";

function refuse(flag: string, message: string, hint = EXAMPLE): never {
  throw new ConfigError("config.bad_sweep", `${flag}: ${message}`, { hint });
}

/**
 * `key=value,value`: values are YAML, parted by commas outside of brackets and quotes. Throws `config.bad_sweep`.
 *
 * @example parseSweep("training.objective=grpo,{preset: dapo, kl: {beta: 0.01}}").values[1] === "{preset: dapo, kl: {beta: 0.01}}"
 */
export function parseSweep(text: string): Sweep {
  const flag = `--sweep ${text}`;
  const at = text.indexOf("=");
  const key = text.slice(0, Math.max(0, at));
  if (key === "" || key.split(".").includes("")) return refuse(flag, "expected key=value,value");
  if (key === "seed") return refuse(flag, "seeds have a flag of their own", "For example --seeds 11,12,13");
  const values = listItems(text.slice(at + 1), flag);
  const [first, second] = duplicate(values.map((value) => [JSON.stringify(parseYaml(value)), value]));
  if (second !== undefined) return refuse(flag, `${first} and ${second} are the same value`);
  return { key, values };
}

/** The items of a YAML list without its brackets, as they are written. */
function listItems(text: string, flag: string): string[] {
  const source = `[${text}]`;
  const document = parseDocument(source, { prettyErrors: false });
  const fault = document.errors[0];
  if (fault !== undefined) return refuse(flag, fault.message);
  const list = document.contents;
  if (list === null || !("items" in list) || list.range?.[1] !== source.length) return refuse(flag, "expected values");
  const items = list.items.map((item, index) => {
    const range = isNode(item) ? item.range : null;
    const value = range === null || range === undefined ? "" : source.slice(range[0], range[1]);
    // Tags, anchors and pairs without braces mean something else alone.
    if (!isNode(item) || value === "" || !sameAlone(value, () => item.toJS(document))) {
      return refuse(flag, `value ${index + 1} means something else by itself`);
    }
    return value;
  });
  return items.length === 0 ? refuse(flag, "expected at least one value") : items;
}

/** False too where either cannot be read: an alias without its anchor. */
function sameAlone(value: string, expected: () => unknown): boolean {
  try {
    return JSON.stringify(parseYaml(value)) === JSON.stringify(expected());
  } catch {
    return false;
  }
}

/** The first two names whose keys are equal. */
function duplicate(entries: readonly (readonly [string, string])[]): [string, string] | [] {
  const seen = new Map<string, string>();
  for (const [key, name] of entries) {
    const earlier = seen.get(key);
    if (earlier !== undefined) return [earlier, name];
    seen.set(key, name);
  }
  return [];
}

/** `parseSeeds("11,12")` is `[11, 12]`. Throws `config.bad_sweep`. */
export function parseSeeds(text: string): number[] {
  const [flag, hint] = [`--seeds ${text}`, "For example --seeds 11,12,13"];
  const seeds = text.split(",").map((item) => {
    const seed = Number(item);
    if (/^\s*-?\d+\s*$/.test(item) && Number.isSafeInteger(seed)) return seed + 0;
    return refuse(flag, `expected integers, got ${JSON.stringify(item)}`, hint);
  });
  const [twice] = duplicate(seeds.map((seed) => [String(seed), String(seed)]));
  return twice === undefined ? seeds : refuse(flag, `${twice} stands twice`, hint);
}

/** Refuses keys that overlap: which one counts would depend on their order. `sets` are those of `--set`. Throws `config.bad_sweep`. */
export function refuseOverlap(
  sweeps: readonly Sweep[],
  sets: readonly string[],
  seeds: readonly number[] | null,
): void {
  const set = sets.map((one) => ({ flag: `--set ${one}`, key: one.split("=", 1)[0] ?? "" }));
  const swept = sweeps.map(({ key, values }) => ({ flag: `--sweep ${key}=${values.join(",")}`, key }));
  const seeded = seeds === null ? [] : [{ flag: `--seeds ${seeds.join(",")}`, key: "seed" }];
  const ours = [...swept, ...seeded];
  for (const [index, { flag, key }] of ours.entries()) {
    const other = [...set, ...ours.slice(0, index)].find((one) => within(one.key, key) || within(key, one.key));
    if (other !== undefined) refuse(flag, `${other.flag} sets the same key`, "Leave one of them out.");
  }
}

const within = (inner: string, outer: string): boolean => `${inner}.`.startsWith(`${outer}.`);

/** Every combination of values: the last key varies fastest, so the first combination is the first value of each. */
export function crossProduct(sweeps: readonly Sweep[]): SettingValues[] {
  return sweeps.reduce<SettingValues[]>(
    (settings, { key, values }) => settings.flatMap((setting) => values.map((value) => ({ ...setting, [key]: value }))),
    [{}],
  );
}

/** `training.beta=0 sampling.topK=5`; `the recipe` where nothing is swept. */
export function settingLabel(values: SettingValues): string {
  const parts = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  return parts.length === 0 ? "the recipe" : parts.join(" ");
}
