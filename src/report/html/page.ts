/**
 * The whole page: one file that opens from a disk, runs no script and asks no network.
 */
import type { ImageStore } from "../../core/images.ts";
import { imagesOf, shownEpisodes } from "../episodes.ts";
import type { ReportInputs } from "../inputs.ts";
import type { Report } from "../report.ts";
import { limits, settings } from "./about.ts";
import { contactSheet } from "./contact-sheet.ts";
import { curves } from "./curves.ts";
import { markup, trusted } from "./escape.ts";
import { knewBefore } from "./knew.ts";
import { loadPictures } from "./pictures.ts";
import { STYLE } from "./style.ts";
import { summary, table } from "./summary.ts";

/** Second line of defence behind escaping: nothing is fetched, no script runs, no form is sent. */
const POLICY = trusted(
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
);

/** Throws `data.image_missing` when the store lacks an image that a shown episode names. */
export async function page(report: Report, { manifest, finals }: ReportInputs, images: ImageStore): Promise<string> {
  const episodes = shownEpisodes(finals);
  const pictures = await loadPictures(episodes.flatMap(imagesOf), images);
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${report.name}: report</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${summary(report)}
${table(report)}
${curves(report)}
${report.decisions !== undefined && knewBefore(report.decisions)}
${contactSheet(episodes, pictures)}
${limits(report, manifest)}
${settings(report, manifest)}
</main>
</body>
</html>
`.text;
}
