import { expect, it } from "vitest";
import { canonicalFromPixels } from "../../core/images.ts";
import { runTool } from "../tool.ts";
import { codeToolOff } from "./off.ts";

const signal = new AbortController().signal;

it("accepts code, runs nothing, and leaves the image as it is", async () => {
  const image = await canonicalFromPixels({ width: 2, height: 2, rgb: new Uint8Array(12) });
  const { run, images } = await runTool(codeToolOff(), { source: "raise SystemExit(1)" }, { image, signal });
  expect(run).toMatchObject({ status: "ok", text: null, images: [image.sha256], replacesImage: true });
  expect(images).toEqual([image]);
});

it("says no more without an image, and refuses what is no code", async () => {
  const tool = codeToolOff();
  expect((await runTool(tool, { source: "1" }, { image: null, signal })).run).toMatchObject({ replacesImage: false });
  expect((await runTool(tool, { text: "1" }, { image: null, signal })).run.status).toBe("invalid_input");
});
