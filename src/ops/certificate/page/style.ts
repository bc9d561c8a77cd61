/** Light and dark, screen and paper. */
export const style = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #d9d9e0; --paper: #ffffff; --back: #f6f6f8; --seen: #2f7d5b; --repaired: #d9a520; --missing: #cc3d3d;
  --complete: #1f6f4c; --completeButFor: #8a6200; --incomplete: #a8480c; --damaged: #b3232b; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #a9adb6; --line: #3a3d44; --paper: #18191b; --back: #222427; --seen: #3f9d75; --repaired: #e0b341; --missing: #e5605f;
  --complete: #55c596; --completeButFor: #e6b94d; --incomplete: #f08a4b; --damaged: #ff7a7d; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1000px; padding: 24px 20px 64px; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans KR", sans-serif; }
header { border-left: 6px solid var(--verdict); padding: 4px 0 4px 16px; }
header p { margin: 0; color: var(--soft); }
h1::first-letter { text-transform: uppercase; }
h3 { margin: 20px 0 6px; font-size: 15px; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; color: var(--verdict); }
h2 { margin: 32px 0 8px; font-size: 18px; }
ul { margin: 12px 0 0; padding-left: 20px; }
figure { margin: 24px 0 0; }
figcaption, .note { color: var(--soft); font-size: 13px; }
svg { width: 100%; height: auto; display: block; font-size: 11px; }
svg text { fill: var(--soft); }
svg rect { shape-rendering: crispEdges; }
.phase, .tick { text-anchor: middle; }
.cause { text-anchor: end; }
.band0, .lane { fill: var(--back); } .band1 { fill: var(--line); }
.hour { stroke: var(--ink); stroke-opacity: 0.12; }
svg .seen { fill: var(--seen); } svg .repaired { fill: var(--repaired); } svg .missing { fill: var(--missing); }
.key { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin: 0 2px 0 10px; vertical-align: -1px; }
.key:first-child { margin-left: 0; }
.key.seen { background: var(--seen); } .key.repaired { background: var(--repaired); } .key.missing { background: var(--missing); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: 13px; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
td.t { white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code, .files td { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; font-size: 11px; overflow-wrap: anywhere; }
.files .n { overflow-wrap: normal; }
@media print { :root { color-scheme: light; } body { padding: 0; font-size: 11px; max-width: none; } svg, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; } section { break-inside: auto; } h2 { break-after: avoid; } tr, figure { break-inside: avoid; } }
`
