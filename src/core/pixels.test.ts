import { expect, it } from "vitest";
import { RecentPixels, type Pixels } from "./pixels.ts";

/** Ten bytes encoded, thirty decoded. */
const image = () => ({ png: new Uint8Array(10), width: 10, height: 1 });
const pixels = (): Promise<Pixels> => Promise.resolve({ width: 10, height: 1, rgb: new Uint8Array(30) });

it("keeps as many as fit, the least recently used out first", () => {
  const recent = new RecentPixels(100);
  const [one, two, three] = [image(), image(), image()];
  recent.keep(one, pixels());
  recent.keep(two, pixels());
  expect(recent.get(one.png)).toBeDefined();
  recent.keep(three, pixels());
  expect([one, two, three].map(({ png }) => recent.get(png) !== undefined)).toEqual([true, false, true]);
});

it("counts an image that is kept again once, and one that is too large not at all", () => {
  const recent = new RecentPixels(80);
  const [one, two, large] = [image(), image(), { ...image(), height: 3 }];
  recent.keep(one, pixels());
  recent.keep(one, pixels());
  recent.keep(two, pixels());
  recent.keep(large, pixels());
  expect([one, two, large].map(({ png }) => recent.get(png) !== undefined)).toEqual([true, true, false]);
});

it("forgets what could not be decoded", async () => {
  const recent = new RecentPixels(100);
  const one = image();
  const failing = Promise.reject<Pixels>(new Error("damaged"));
  recent.keep(one, failing);
  await expect(failing).rejects.toThrow("damaged");
  expect(recent.get(one.png)).toBeUndefined();
});
