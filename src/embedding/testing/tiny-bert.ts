/**
 * For tests only: a random BERT of two layers with its tokenizer, and what plain transformers makes of texts.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { environmentPython } from "../../core/installation.ts";
import { builtOnce } from "../../engine/testing/built-once.ts";
import { workerEnvironment } from "../../engine/worker-environment.ts";

const BUILD = `
import json, sys, torch
from pathlib import Path
from transformers import BertConfig, BertModel, BertTokenizer
folder, texts = Path(sys.argv[1]), json.loads(sys.argv[2])
folder.mkdir(parents=True)
words = "[PAD] [UNK] [CLS] [SEP] [MASK] who painted the night watch in amsterdam capital of france a b c".split()
(folder / "vocab.txt").write_text("\\n".join(words))
torch.manual_seed(0)
model = BertModel(BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=32, max_position_embeddings=32, initializer_range=0.5)).eval()
model.save_pretrained(folder)
tokenizer = BertTokenizer.from_pretrained(folder)
tokenizer.save_pretrained(folder)
batch = tokenizer(texts, padding=True, return_tensors="pt")
with torch.no_grad():
    hidden = model(**batch)[0]
mask = batch["attention_mask"].unsqueeze(-1).float()
mean = (hidden * mask).sum(1) / mask.sum(1)
(folder / "plain.json").write_text(json.dumps(torch.nn.functional.normalize(mean, dim=1).tolist()))
`;

/** What plain transformers embedded. */
export const PLAIN_TEXTS = ["Who painted the Night Watch", "capital of France", "a b c"];

/** Puts the encoder in `folder/bert`; gives its path and the vectors of `PLAIN_TEXTS` by plain transformers, in one padded batch. */
export async function buildTinyBert(folder: string): Promise<{ path: string; plain: number[][] }> {
  const path = join(folder, "bert");
  await builtOnce("bert", path, async (out) => {
    const args = ["-c", BUILD, out, JSON.stringify(PLAIN_TEXTS)];
    await promisify(execFile)(environmentPython("engine"), args, { env: workerEnvironment(process.env, "") });
  });
  return { path, plain: JSON.parse(await readFile(join(path, "plain.json"), "utf8")) as number[][] };
}
