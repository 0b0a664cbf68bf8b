/**
 * Messages: what a policy sees, as data. Images are named by sha256; the bytes live in an `ImageStore`.
 */
import { z } from "zod";

/** Lower-case hex sha256. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hex digits (sha256)");

export const textPartSchema = z.strictObject({ type: z.literal("text"), text: z.string() });
export const imagePartSchema = z.strictObject({ type: z.literal("image"), sha256: sha256Schema });
/**
 * What a policy sampled earlier. The worker splices `tokenIds` verbatim (int32, base64 little-endian) and adds the turn-closing tokens itself,
 * so decoded text is never tokenised again. An API policy has no ids: its parts are plain text.
 */
export const sampledPartSchema = z.strictObject({ type: z.literal("sampled"), text: z.string(), tokenIds: z.string() });

export const partSchema = z.discriminatedUnion("type", [textPartSchema, imagePartSchema, sampledPartSchema]);

export const messageSchema = z.strictObject({
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.array(partSchema),
});

export type TextPart = z.infer<typeof textPartSchema>;
export type ImagePart = z.infer<typeof imagePartSchema>;
export type SampledPart = z.infer<typeof sampledPartSchema>;
export type Part = z.infer<typeof partSchema>;
export type Message = z.infer<typeof messageSchema>;
