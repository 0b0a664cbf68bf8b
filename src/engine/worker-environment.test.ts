import { expect, it } from "vitest";
import { workerEnvironment } from "./worker-environment.ts";

const USER = {
  PATH: "/usr/bin",
  CUDA_VISIBLE_DEVICES: "1",
  TOKENIZERS_PARALLELISM: "false",
  HF_HOME: "/models",
  HF_TOKEN: "hf_secret",
  OPENAI_API_KEY: "sk-secret",
  AWS_SECRET_ACCESS_KEY: "aws-secret",
  VARFT_ENGINE_TOKEN: "an older token",
  NODE_OPTIONS: "--inspect",
};

it("gives the worker what torch needs and none of the user's secrets", () => {
  const given = workerEnvironment(USER, "the token");
  expect(given).toMatchObject({
    PATH: "/usr/bin",
    CUDA_VISIBLE_DEVICES: "1",
    TOKENIZERS_PARALLELISM: "false",
    HF_HOME: "/models",
    HF_HUB_OFFLINE: "1",
    TRANSFORMERS_OFFLINE: "1",
    VARFT_ENGINE_TOKEN: "the token",
  });
  expect(JSON.stringify(given)).not.toMatch(/secret|older|inspect/);
});

it("goes online, with the user's token, only when the user says so", () => {
  const given = workerEnvironment({ ...USER, HF_HUB_OFFLINE: "0" }, "the token");
  expect(given).toMatchObject({ HF_HUB_OFFLINE: "0", TRANSFORMERS_OFFLINE: "0", HF_TOKEN: "hf_secret" });
  expect(given).not.toHaveProperty("OPENAI_API_KEY");
});

it("keeps the user's PYTHONPATH behind the package's own", () => {
  const [first, second] = workerEnvironment({ PYTHONPATH: "/cluster/torch" }, "t")["PYTHONPATH"]?.split(":") ?? [];
  expect(first).toMatch(/engine$/);
  expect(second).toBe("/cluster/torch");
});
