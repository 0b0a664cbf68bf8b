/** The attack table: every hostile snippet, by what it reaches for. */
import { aftermath } from "./aftermath.ts";
import type { Attack } from "./attack.ts";
import { exhaustion } from "./exhaustion.ts";
import { files } from "./files.ts";
import { host } from "./host.ts";
import { images } from "./images.ts";
import { kernel } from "./kernel.ts";
import { libraries } from "./libraries.ts";
import { poison } from "./poison.ts";
import { reporting } from "./reporting.ts";
import { resources } from "./resources.ts";

export const attackTable: Readonly<Record<string, readonly Attack[]>> = {
  "processes, time, memory, disk": resources,
  "the host: files, network, processes, pipes": host,
  "the kernel, call by call": kernel,
  "libraries: what they open, map, run and load": libraries,
  "what wears out, and what is shared": exhaustion,
  "files and folders": files,
  "output files": [...aftermath, ...images],
  "endings, reports and streams": reporting,
  "the next snippet": poison,
};

export const attacks: readonly Attack[] = Object.values(attackTable).flat();
