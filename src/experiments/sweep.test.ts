import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { crossProduct, parseSeeds, parseSweep, refuseOverlap, settingLabel } from "./sweep.ts";

describe("parseSweep", () => {
  it("parts values at commas outside of brackets and quotes, and keeps them as written", () => {
    expect(parseSweep("training.learningRate=1e-4,2e-4")).toEqual({
      key: "training.learningRate",
      values: ["1e-4", "2e-4"],
    });
    expect(parseSweep("training.objective=grpo, {preset: dapo, kl: {beta: 0.01}},'a,b'").values).toEqual([
      "grpo",
      "{preset: dapo, kl: {beta: 0.01}}",
      "'a,b'",
    ]);
  });

  it("gives back whatever values it was given, in their order", () => {
    const scalar = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string());
    const value = fc.oneof(
      scalar,
      fc.boolean(),
      fc.constant(null),
      fc.array(scalar),
      fc.dictionary(fc.string(), scalar),
    );
    const values = fc.uniqueArray(value, { minLength: 1, maxLength: 5, selector: (one) => JSON.stringify(one) });
    fc.assert(
      fc.property(values, (given) => {
        const { values: read } = parseSweep(`a.b=${given.map((one) => JSON.stringify(one)).join(",")}`);
        expect(read.map((text) => JSON.stringify(parseYaml(text)))).toEqual(given.map((one) => JSON.stringify(one)));
      }),
    );
  });

  it("either reads any text or refuses it by its own code", () => {
    const characters = fc.constantFrom(...Array.from("ab=,:.1[]{}'\"#&*!- \n"));
    const outcome = (text: string): unknown => {
      try {
        const { key, values } = parseSweep(text);
        return text.startsWith(`${key}=`) && values.every((value) => text.includes(value));
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    fc.assert(
      fc.property(fc.string({ unit: characters }), (text) => {
        expect([true, "config.bad_sweep"]).toContain(outcome(text));
      }),
    );
    // Both really happen.
    expect([outcome("a=b,1"), outcome("a=[")]).toEqual([true, "config.bad_sweep"]);
  });

  it.each([
    ["no key", "=1", "expected key=value,value"],
    ["no value", "a=", "at least one value"],
    ["no equals sign", "training.steps", "expected key=value,value"],
    ["an empty part of a key", "a..b=1", "expected key=value,value"],
    ["an empty value", "a=1,,2", "a=1,,2"],
    ["a bracket that closes the list", "a=1],[2", "a=1],[2"],
    ["a value twice, written in two ways", "a=1e-4,0.0001", "1e-4 and 0.0001 are the same value"],
    ["a tag, which a value loses by itself", "a=!!str 1,2", "by itself"],
    ["seeds", "seed=1,2", "--seeds"],
  ])("%s is refused", (_, text, message) => {
    expect(() => parseSweep(text)).toThrow(
      expect.objectContaining({ code: "config.bad_sweep", message: expect.stringContaining(text) as string }) as Error,
    );
    expect(() => parseSweep(text)).toThrow(
      expect.toSatisfy(({ message: said, hint }: { message: string; hint: string }) =>
        `${said} ${hint}`.includes(message),
      ) as Error,
    );
  });
});

describe("parseSeeds", () => {
  it("reads integers", () => expect(parseSeeds("11, 12,-1")).toEqual([11, 12, -1]));
  it.each(["", "1,,2", "1.5", "1e3", "x", "1,1", "9007199254740993", "0,-0"])("refuses %j", (text) => {
    expect(() => parseSeeds(text)).toThrow(expect.objectContaining({ code: "config.bad_sweep" }) as Error);
  });
});

describe("crossProduct", () => {
  it("varies the last key fastest and begins with the first value of each", () => {
    const settings = crossProduct([parseSweep("a=1,2"), parseSweep("b.c=x,y")]);
    expect(settings.map(settingLabel)).toEqual(["a=1 b.c=x", "a=1 b.c=y", "a=2 b.c=x", "a=2 b.c=y"]);
  });
  it("of nothing is the recipe as it is", () => expect(crossProduct([]).map(settingLabel)).toEqual(["the recipe"]));
});

describe("refuseOverlap", () => {
  const refused = (sweeps: string[], sets: string[], seeds: number[] | null): string => {
    try {
      refuseOverlap(sweeps.map(parseSweep), sets, seeds);
      return "";
    } catch (error) {
      expect(error).toMatchObject({ code: "config.bad_sweep" });
      return (error as Error).message;
    }
  };
  it("names both flags that set one key, or a key within another", () => {
    expect(refused(["a=1", "a=2"], [], null)).toBe("--sweep a=2: --sweep a=1 sets the same key");
    expect(refused(["a.b=1"], ["a={b: 2}"], null)).toBe("--sweep a.b=1: --set a={b: 2} sets the same key");
    expect(refused(["a=1"], ["seed=2"], [3])).toBe("--seeds 3: --set seed=2 sets the same key");
  });
  it("lets keys be that only begin alike", () => expect(refused(["a.b=1", "a.bc=1"], ["a.d=1"], [1])).toBe(""));
});
