/**
 * Options that several verifiers share: whose setting a task belongs to, and whose rules are followed.
 */
import { z } from "zod";

/** Agentic coding or agentic search: which tags a step may hold, and whose normalisation answers get. */
export const settingOption = z.enum(["coding", "search"]).default("coding");
export type Setting = z.infer<typeof settingOption>;

/** `reference`: as the public training code of arXiv 2505.14246 computes it, its oddities included. */
export const variantOption = z.enum(["ours", "reference"]).default("ours");
export type Variant = z.infer<typeof variantOption>;
