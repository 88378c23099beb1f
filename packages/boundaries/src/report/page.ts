import { escapeHtml } from './escape-html.ts';
import { heatMap } from './heat-map.ts';
import { number } from './markdown.ts';
import type { BoundariesReport } from './report.ts';
import { serviceGraph } from './service-graph.ts';

const style = `:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--ground:#fff;--panel:#f5f7fa;--line:#d8dee6;--heat:#0b6bcb;--apart:#c2410c;--node:#dbeafe}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf2;--soft:#9aa7b8;--ground:#12171f;--panel:#1a212c;--line:#303a48;--heat:#5aa9ff;--apart:#ff8a4c;--node:#1e3a5f}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 24px 60px}h1{font-size:26px;margin:0 0 6px}h2{font-size:18px;margin:34px 0 10px}p{max-width:80ch;margin:6px 0}
.lead{color:var(--soft)}.tiles{display:flex;flex-wrap:wrap;gap:10px;margin:18px 0}.tile{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:9px 15px;min-width:104px}
.tile b{display:block;font-size:20px;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:12px}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px;padding:8px}table{border-collapse:collapse;width:100%;font-size:14px}th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}th{color:var(--soft);font-weight:600;font-size:12px}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
svg{display:block;margin:0 auto}svg text{fill:var(--ink)}svg .heat{fill:var(--heat)}svg .apart{fill:var(--apart)}svg .block{fill:none;stroke:var(--ink);stroke-width:1.2}svg circle{fill:var(--node);stroke:var(--heat);stroke-width:1.5}
svg .bond{stroke:var(--soft);opacity:.28}svg .call{fill:none;stroke:var(--heat);stroke-width:1.3;opacity:.8}svg marker path{fill:var(--heat)}svg .count{font-weight:600}
ul{padding-left:20px;margin:6px 0}li{margin:5px 0}.reason{color:var(--soft)}.yes{font-weight:600}details{margin:8px 0}summary{cursor:pointer;color:var(--soft)}`;

/** A report as one HTML page that needs nothing else: no script, no font, no request. */
export function reportPage(report: BoundariesReport): string {
  const { summary, metrics, price } = report;
  const cut = report.alternatives.find(({ recommended }) => recommended)?.crossing;
  const tiles: [string, string][] = [
    [String(summary.capabilities), report.kind],
    [String(summary.services), 'services'],
    [metrics.modularity.toFixed(2), 'modularity'],
    [cut === undefined ? '–' : `${Math.round(cut * 100)} %`, 'coupling cut'],
    [signed(price.remoteCallsAddedPerRequest), 'calls per request'],
    [String(price.sagas.length), 'new sagas'],
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Boundaries of ${escapeHtml(report.name)}</title><style>${style}</style></head>
<body><main><h1>Boundaries of ${escapeHtml(report.name)}</h1><p class="lead">${escapeHtml(summary.explanation)}</p>
<div class="tiles">${tiles.map(([value, label]) => `<div class="tile"><b>${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`).join('')}</div>
${servicesTable(report)}
<h2>Recommendations</h2>${recommendations(report)}
<h2>Services and their calls</h2><div class="scroll">${serviceGraph(report)}</div>
<h2>Coupling</h2><p class="lead">Darker is stronger; a frame is a service. Point at a cell for what it is made from.</p><div class="scroll">${heatMap(report)}</div>
<h2>Data</h2>${dataTable(report)}
<h2>Price</h2>${priceTable(report)}
<h2>Alternatives</h2>${alternativesTable(report)}
<h2>Metrics</h2>${metricsTable(report)}
</main></body></html>
`;
}

function signed(value: number): string {
  return value > 0 ? `+${number(value)}` : number(value).replace('-', '−');
}

type Cell = string | { readonly number: string } | { readonly html: string };

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const numeric = head.map((_, at) =>
    rows.some((row) => typeof row[at] === 'object' && 'number' in (row[at] as object)),
  );
  const heads = head
    .map((each, at) => `<th${numeric[at] ? ' class="n"' : ''}>${escapeHtml(each)}</th>`)
    .join('');
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('');
  return `<div class="scroll"><table><thead><tr>${heads}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function cell(value: Cell): string {
  if (typeof value === 'string') return `<td>${escapeHtml(value)}</td>`;
  return 'number' in value ? `<td class="n">${escapeHtml(value.number)}</td>` : `<td>${value.html}</td>`;
}

function servicesTable({ services }: BoundariesReport): string {
  const rows = services.map((service): Cell[] => {
    const why = service.strongest.map(({ a, b, coupling, because }) => {
      return `<li>${escapeHtml(`${a} – ${b} ${coupling.toFixed(2)}: ${because.join('; ')}`)}</li>`;
    });
    const reasons =
      why.length === 0 ? '' : `<details><summary>why together</summary><ul>${why.join('')}</ul></details>`;
    return [
      { html: `<b>${escapeHtml(service.name)}</b>` },
      { html: `${escapeHtml(service.capabilities.join(', '))}${reasons}` },
      service.owns.join(', '),
      service.teams.map(({ team }) => team).join(', '),
      { number: number(service.complexity) },
      { number: service.cohesion === undefined ? '–' : service.cohesion.toFixed(2) },
      { number: service.coupling.toFixed(2) },
      { number: service.stability.toFixed(2) },
    ];
  });
  const head = [
    'service',
    'capabilities',
    'owns',
    'teams',
    'complexity',
    'cohesion',
    'coupling',
    'stability',
  ];
  return `<h2>Services</h2>${table(head, rows)}`;
}

function recommendations({ recommendations: all }: BoundariesReport): string {
  if (all.length === 0) return '<p>None.</p>';
  const items = all.map(
    ({ subject, advice, reason }) =>
      `<li><b>${escapeHtml(subject)}</b>: ${escapeHtml(advice)}. <span class="reason">Because ${escapeHtml(reason)}.</span></li>`,
  );
  return `<ul>${items.join('')}</ul>`;
}

function dataTable({ ownership }: BoundariesReport): string {
  if (ownership.length === 0) return '<p>No entities are known.</p>';
  const rows = ownership.map(({ entity, owner, writers, readers, conflict }): Cell[] => [
    entity,
    owner,
    writers.join(', '),
    readers.join(', '),
    conflict ? { html: '<span class="yes">conflict</span>' } : '',
  ]);
  return table(['entity', 'owner', 'writers', 'readers', ''], rows);
}

function priceTable({ price }: BoundariesReport): string {
  const rows = price.useCases.map((each): Cell[] => [
    each.name,
    { number: number(each.rate) },
    { number: number(each.remoteCallsToday) },
    { number: number(each.remoteCalls) },
    each.becomesSaga ? each.writesIn.join(', ') : '',
  ]);
  const said = price.assumed.map((each) => `<li>Assumed: ${escapeHtml(each)}.</li>`).join('');
  return `${table(['use case', 'rate', 'remote calls today', 'then', 'saga over'], rows)}<ul>${said}</ul>`;
}

function alternativesTable({ alternatives }: BoundariesReport): string {
  const rows = alternatives.map((each): Cell[] => [
    { number: String(each.services.length) },
    each.recommended
      ? { html: `<span class="yes">${escapeHtml(each.origin)} (recommended)</span>` }
      : each.origin,
    { number: `${Math.round(each.crossing * 100)} %` },
    { number: number(each.largestComplexity) },
    { number: each.modularity.toFixed(2) },
    { number: signed(each.remoteCallsAddedPerRequest) },
    { number: String(each.sagas) },
  ]);
  const head = [
    'services',
    'from',
    'coupling cut',
    'largest complexity',
    'modularity',
    'calls per request',
    'sagas',
  ];
  return table(head, rows);
}

function metricsTable({ metrics, weights }: BoundariesReport): string {
  const { modularity, sm, icp, ifn, ned, bcp } = metrics;
  const values = [modularity, sm, icp, ifn, ned, bcp].map(
    (value): Cell => ({ number: value === undefined ? '–' : value.toFixed(3) }),
  );
  const used = Object.entries(weights)
    .map(([criterion, weight]) => `${criterion} ${weight}`)
    .join(', ');
  return `${table(['modularity', 'SM', 'ICP', 'IFN', 'NED', 'BCP'], [values])}<p class="lead">Weights: ${escapeHtml(used)}.</p>`;
}
