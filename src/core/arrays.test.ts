import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeFloat32, decodeInt32, encodeFloat32, encodeInt32 } from "./arrays.ts";

it("is little-endian int32 in base64", () => {
  expect(encodeInt32([1, 2])).toBe("AQAAAAIAAAA=");
  expect(encodeFloat32([1])).toBe("AACAPw==");
});

it("round-trips bit for bit", () => {
  const ids = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
  fc.assert(
    fc.property(ids, fc.float32Array(), (integers, floats) => {
      expect([...decodeInt32(encodeInt32(integers))]).toEqual(integers);
      expect(decodeFloat32(encodeFloat32(floats))).toEqual(floats);
    }),
  );
});

it("refuses a torn array", () => {
  expect(() => decodeInt32("AQAA")).toThrow("multiple of 4");
});
