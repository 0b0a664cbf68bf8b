/**
 * The style sheet: light and dark, wide and narrow, no font or file from outside. Colours are Okabe and Ito's, which colour-blind
 * readers tell apart, lighter on dark ground.
 */
import { trusted } from "./escape.ts";

export const STYLE = trusted(`
:root { color-scheme: light dark; --ground: #fbfaf7; --card: #ffffff; --ink: #1c1b19; --soft: #6b6862; --line: #e3e0d8; --accent: #0072b2;
  --was: #8d8a83; --now: #0072b2; --without: #d55e00; --control: #b0568f; --good: #00805c; --bad: #c04a00;
  --c1: #0072b2; --c2: #d55e00; --c3: #009e73; --c4: #b0568f; --c5: #c98500; --c6: #3f9fd8; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14151a; --card: #1c1e25; --ink: #eceae4; --soft: #a09d96; --line: #32353f; --accent: #56b4e9;
    --was: #8f8d88; --now: #56b4e9; --without: #ff8a3d; --control: #e39bc9; --good: #3fcf9f; --bad: #ff8a3d;
    --c1: #56b4e9; --c2: #ff8a3d; --c3: #2fc796; --c4: #e39bc9; --c5: #f0b93a; --c6: #8fd0f5; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 20px 80px; }
section { margin-top: 56px; }
h1 { font-size: clamp(26px, 4.6vw, 42px); line-height: 1.12; letter-spacing: -.02em; margin: 4px 0 14px; text-wrap: balance; }
h2 { font-size: 24px; letter-spacing: -.01em; margin: 0 0 14px; }
h3 { font-size: 16px; margin: 24px 0 10px; }
p { max-width: 74ch; }
.eyebrow, .note, figcaption { color: var(--soft); font-size: 13px; font-weight: 400; }
.eyebrow { margin: 0; letter-spacing: .02em; }
.verdict { font-size: 18px; margin: 0 0 22px; }
.figures { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 22px; max-width: none; margin: 0; color: var(--soft); }
.figures b { font-size: clamp(44px, 9vw, 84px); line-height: 1; letter-spacing: -.04em; font-variant-numeric: tabular-nums; }
.figures small { font-size: .45em; letter-spacing: 0; margin-left: 2px; }
.figures .now b, .figures .now { color: var(--now); }
.figures .arrow { font-size: 36px; }
.figures .aside { border-left: 2px solid var(--line); padding-left: 22px; }
.figures .aside b { font-size: clamp(26px, 4.5vw, 42px); color: var(--without); }
figure { margin: 0; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.grid, .axis { stroke: var(--line); stroke-width: 1; }
.s1 { --c: var(--c1); } .s2 { --c: var(--c2); } .s3 { --c: var(--c3); } .s4 { --c: var(--c4); } .s5 { --c: var(--c5); } .s6 { --c: var(--c6); }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.s2 .line { stroke-dasharray: 7 3; } .s3 .line { stroke-dasharray: 2 3; } .s4 .line { stroke-dasharray: 9 3 2 3; } .s5 .line { stroke-dasharray: 4 4; } .s6 .line { stroke-dasharray: 1 4; }
.dot { fill: var(--c); } .hit { fill: transparent; } .hit:hover { fill: var(--c); fill-opacity: .35; } .bar { fill: var(--c); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 12.5px; color: var(--soft); }
.swatch, .key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; background: var(--c); margin-right: 5px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 22px 26px; align-items: start; }
.multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 12px; grid-column: span 2; }
.multiples figcaption { font-size: 12.5px; }
.chart figcaption b { color: var(--ink); }
.pair { display: grid; gap: 26px 44px; align-items: start; } .pair > * { min-width: 0; }
.dumbbells { max-width: 760px; }
.dumbbells .legend { margin-top: 6px; }
.dumbbells .label { fill: var(--ink); font-size: 12.5px; } .dumbbells .all .label { font-weight: 700; }
.gain { stroke: var(--now); stroke-opacity: .28; stroke-width: 3; }
.whisker { stroke-width: 9; stroke-linecap: butt; stroke-opacity: .25; } .whisker.was { stroke: var(--was); } .whisker.now { stroke: var(--now); }
circle.was { fill: var(--ground); stroke: var(--was); stroke-width: 2.4; } circle.now { fill: var(--now); }
path.without { stroke: var(--without); stroke-width: 2.6; fill: none; } path.control { fill: var(--control); }
.key { border-radius: 50%; } .key.was { background: none; border: 2.4px solid var(--was); } .key.now { background: var(--now); }
.key.without { width: 3px; height: 13px; border-radius: 0; background: var(--without); vertical-align: -2px; } .key.control { background: var(--control); border-radius: 0; transform: rotate(45deg) scale(.8); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 18px 6px 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { font-size: 13px; color: var(--soft); font-weight: 500; }
tbody th { font-weight: 500; }
td small { display: block; color: var(--soft); font-weight: 400; line-height: 1.2; }
td.after b { color: var(--now); }
tr.all th, tr.all td { border-bottom: 0; border-top: 2px solid var(--ink); font-weight: 700; }
tfoot th, tfoot td { border-bottom: 0; font-weight: 400; }
.meanings { display: grid; grid-template-columns: max-content 1fr; gap: 3px 16px; font-size: 13.5px; color: var(--soft); max-width: 84ch; }
.meanings dt { font-weight: 600; } .meanings dd { margin: 0; }
.bars .scale { min-width: 180px; width: 36vw; max-width: 420px; }
.meter { position: relative; display: block; height: 14px; background: var(--line); border-radius: 3px; overflow: hidden; }
.meter i { position: absolute; inset: 0 auto 0 0; background: var(--now); } .meter u { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--without); }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 16px; margin-bottom: 16px; }
.episode { background: var(--card); border: 1px solid var(--line); border-top: 3px solid var(--good); border-radius: 8px; padding: 12px 14px; min-width: 0; display: flex; flex-direction: column; }
.episode.wrong { border-top-color: var(--bad); }
.episode header { display: flex; gap: 8px; align-items: baseline; margin-bottom: 8px; } .episode header .note { overflow-wrap: anywhere; min-width: 0; font-size: 12px; }
.episode p { margin: 0 0 6px; }
.verdict-mark { margin-left: auto; white-space: nowrap; font-size: 13px; font-weight: 600; color: var(--good); } .wrong .verdict-mark { color: var(--bad); }
.strip { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-bottom: 8px; }
.picture { text-align: center; } .picture img { display: block; width: 104px; height: auto; border-radius: 4px; border: 1px solid var(--line); } .picture img.pixels { image-rendering: pixelated; }
.answered { font-size: 12.5px; line-height: 1.35; color: var(--soft); min-width: 0; flex: 1 1 76px; padding-left: 8px; }
.answered > b { display: block; font-size: 24px; line-height: 1.15; color: var(--good); font-variant-numeric: tabular-nums; overflow-wrap: anywhere; } .wrong .answered > b { color: var(--bad); }
.answered span b { color: var(--ink); overflow-wrap: anywhere; }
pre { margin: 0 0 6px; padding: 8px 10px; background: var(--ground); border: 1px solid var(--line); border-radius: 5px; font: 11px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 320px; overflow-y: auto; }
.chip { display: inline-block; font-size: 12px; padding: 1px 8px; border: 1px solid var(--line); border-radius: 99px; overflow-wrap: anywhere; }
.problems .chip { border-color: var(--accent); color: var(--accent); }
.fault { color: var(--bad); font-size: 12.5px; }
.episode footer { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 16px; margin-top: auto; padding-top: 8px; font-size: 12.5px; color: var(--soft); overflow-wrap: anywhere; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 0 40px; } .two h3 { margin-top: 0; } ul { padding-left: 20px; margin: 0 0 16px; } li { margin-bottom: 8px; }
details { margin: 12px 0; } summary { cursor: pointer; } details pre { max-height: none; margin-top: 8px; }
@media (min-width: 1000px) { .pair { grid-template-columns: minmax(0, 1fr) max-content; } }
@media (max-width: 760px) { table { font-size: 14px; } th, td { padding-right: 11px; } td small { font-size: 11px; } .results tr > :nth-child(2), .bars tr > :nth-child(n+5) { display: none; } .bars { width: 100%; } .bars .scale { min-width: 90px; width: auto; padding-right: 0; white-space: normal; } .results { font-size: 13px; } .results th, .results td { padding-right: 7px; white-space: normal; } .results td small { font-size: 10px; white-space: nowrap; } .multiples { grid-column: auto; } .meanings { grid-template-columns: 1fr; } .meanings dd { margin-bottom: 6px; } .figures .aside { flex-basis: 100%; border-left: 0; padding-left: 0; } }
@media print { body { background: none; } section { break-inside: avoid-page; } }
`);
