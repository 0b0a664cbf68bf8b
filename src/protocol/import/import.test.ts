import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fill, loadPromptSet } from "../prompt-set.ts";
import { assignments, concatenation } from "./python-text.ts";
import { importPrompts } from "./reference.ts";

const CODING = "evaluation_coding/evaluation_mat_coding_visual_arft.py";
const CODING_TRAINING = "src/visual_arft/src/open_r1/grpo_agent_code.py";
const SEARCH = "evaluation_search/MAT-Search-Benchmark/evaluation_mat_search_ngpu_7b_visual_arft.py";
const SEARCH_TRAINING = "src/visual_arft/src/open_r1/grpo_agent_search.py";

/** An imitation of the repository's programs, in other words: the names and shapes alone are theirs. */
const TREE: Record<string, string> = {
  [CODING]: `import re
system_prompt = """# Mender
Look, "mend", answer. Faults: {'dark', 'crop'}.  
Tab\\tand backslash \\\\ done
"""

for item in data:
    input_text = system_prompt + f'<query> {query} <query>'
    for _ in range(5):
        if '<problem>' in result:
            if problems_list[0] == 'crop':
                input_text = input_text + '\\n' + result + '\\n' + f'<tips> Cut. </tips>' + '\\n'
            elif problems_list[0] == 'none':
                input_text = input_text + '\\n' + result + '\\n' + f'<tips> It is fine. </tips>'
            else:
                input_text = input_text + '\\n' + result + '\\n' + f'<tips> Mend {problems_list} now. </tips>' + '\\n'
        if '<code>' in result:
            input_text = input_text + '\\n' + result
`,
  [CODING_TRAINING]: `# SYSTEM_PROMPT_AGENT_CODE = "old"\nSYSTEM_PROMPT_AGENT_CODE = """# Mender, in training\n"""\n`,
  [SEARCH]: `system_prompt = '''# Seeker\nFind {it}.'''\ndef run():\n    input_text = system_prompt + '\\n' +f'<query> {query} </query>'\n`,
  [SEARCH_TRAINING]: `SYSTEM_PROMPT_AGENT = """# Seeker, in training"""\n`,
};

let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), "varft-clone-"));
});
afterEach(() => rm(clone, { recursive: true }));

async function plant(change: Record<string, string> = {}, below = "Visual-ARFT"): Promise<void> {
  for (const [path, text] of Object.entries({ ...TREE, ...change })) {
    const file = join(clone, below, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

describe("importing the reference's prompts", () => {
  it("writes a prompt set that loads, with every word as it stands in the programs", async () => {
    await plant();
    await writeFile(join(clone, "prompts.yaml"), await importPrompts(clone, "coding"));
    const set = await loadPromptSet("prompts.yaml", clone);
    const system = `# Mender\nLook, "mend", answer. Faults: {'dark', 'crop'}.  \nTab\tand backslash \\ done\n`;
    expect(set).toMatchObject({
      restated: `${system}<query> {query} <query>\n{chain}`,
      chat: `${system}<query> {query} <query>`,
      step: "# Mender, in training\n\n{recorded}",
      tips: {
        crop: "<tips> Cut. </tips>\n",
        none: "<tips> It is fine. </tips>",
        other: "<tips> Mend {problems} now. </tips>\n",
      },
    });
    expect(fill(set.restated, { query: "Q?", chain: "C" })).toBe(`${system}<query> Q? <query>\nC`);
  });

  it("reads the search programs, and a clone of the folder alone", async () => {
    await plant({}, ".");
    await writeFile(join(clone, "prompts.yaml"), await importPrompts(clone, "search"));
    const set = await loadPromptSet("prompts.yaml", clone);
    expect(set.chat).toBe("# Seeker\nFind {it}.\n<query> {query} </query>");
    expect(set.step).toBe("# Seeker, in training\n{recorded}");
  });

  it.each([
    ["coding", CODING, (text: string) => text.replace("system_prompt = ", "prompt = "), "no `system_prompt ="],
    [
      "coding",
      CODING,
      (text: string) => text.replace("{query}", "{question}"),
      "no `input_text = system_prompt + ...`",
    ],
    [
      "coding",
      CODING,
      (text: string) => text.replace("== 'none'", "== 'fine'"),
      "no <tips> line for the problems none",
    ],
    ["coding", CODING_TRAINING, () => "", "no `SYSTEM_PROMPT_AGENT_CODE ="],
    ["search", SEARCH_TRAINING, () => 'SYSTEM_PROMPT_AGENT = "never closed', "no `SYSTEM_PROMPT_AGENT ="],
  ] as const)("%s: names what %s does not hold (%#)", async (setting, path, change, said) => {
    await plant({ [path]: change(TREE[path]!) });
    await expect(importPrompts(clone, setting)).rejects.toMatchObject({
      code: "config.prompts_import",
      message: expect.stringContaining(`${path}: ${said}`) as string,
    });
  });

  it("names a program that is not there", async () => {
    await expect(importPrompts(clone, "coding")).rejects.toMatchObject({ code: "data.missing_file" });
    await plant();
    await rm(join(clone, "Visual-ARFT", CODING_TRAINING));
    await expect(importPrompts(clone, "coding")).rejects.toMatchObject({
      code: "data.missing_file",
      message: expect.stringContaining(CODING_TRAINING) as string,
    });
  });
});

describe("Python strings", () => {
  it.each([
    [`'a' + "b"`, [{ text: "a" }, { text: "b" }]],
    [String.raw`x + f'{{n}} {n}\n' # said`, [{ name: "x" }, { text: "{n} {n}\n" }]],
    [String.raw`r'\n' + '\x41\u00e9\q'`, [{ text: "\\n" }, { text: "Aé\\q" }]],
    [`'''two\nlines'''`, [{ text: "two\nlines" }]],
    [`'it\\'s'`, [{ text: "it's" }]],
    ["f(x)", null],
    ["'open", null],
    ["'a' +", null],
  ])("%s", (source, pieces) => {
    expect(concatenation(source, 0)).toEqual(pieces);
  });

  it("finds assignments, not comparisons or longer names", () => {
    const source = `a == 'x'\nab = 'y'\n    a = 'z'\na = f(1)\n`;
    expect(assignments(source, "a").map(({ pieces }) => pieces)).toEqual([[{ text: "z" }]]);
  });
});
