import { escapeHtml } from './escape-html.ts';
import type { BoundariesReport } from './report.ts';

/** More rows than this are no picture: then services are shown instead of capabilities. */
const mostRows = 80;

interface Matrix {
  readonly labels: readonly string[];
  /** Where a block of one service begins, and how long it is. */
  readonly blocks: readonly { readonly start: number; readonly length: number }[];
  readonly cells: readonly {
    readonly a: number;
    readonly b: number;
    readonly value: number;
    readonly why: string;
  }[];
}

/** The coupling matrix as SVG: rows in the order of the services, each service a framed block on the diagonal. */
export function heatMap(report: BoundariesReport): string {
  const { labels, blocks, cells } =
    report.matrix.capabilities.length <= mostRows ? whole(report) : coarse(report);
  const size = labels.length > 40 ? 11 : 16;
  const margin = 8 + Math.min(230, Math.max(...labels.map((label) => label.length), 4) * 6.2);
  const side = margin + labels.length * size + 4;
  const most = cells.reduce((max, { value }) => Math.max(max, value), 1e-9);
  const at = (position: number): number => margin + position * size;
  const squares = cells.flatMap(({ a, b, value, why }) =>
    [
      [a, b],
      [b, a],
    ].map(([x = 0, y = 0]) => {
      const opacity = Math.max(0.06, Math.abs(value) / most).toFixed(2);
      const kind = value < 0 ? 'apart' : 'heat';
      const title = escapeHtml(`${labels[a]} – ${labels[b]}: ${value.toFixed(2)}\n${why}`);
      return `<rect class="${kind}" x="${at(x)}" y="${at(y)}" width="${size - 1}" height="${size - 1}" opacity="${opacity}"><title>${title}</title></rect>`;
    }),
  );
  const names = labels.flatMap((label, index) => {
    const short = escapeHtml(label.length > 36 ? `…${label.slice(-35)}` : label);
    const middle = at(index) + size / 2;
    return [
      `<text x="${margin - 5}" y="${middle}" text-anchor="end" dominant-baseline="central">${short}</text>`,
      `<text transform="translate(${middle},${margin - 5}) rotate(-90)" dominant-baseline="central">${short}</text>`,
    ];
  });
  const frames = blocks.map(
    ({ start, length }) =>
      `<rect class="block" x="${at(start) - 0.5}" y="${at(start) - 0.5}" width="${length * size}" height="${length * size}"/>`,
  );
  return `<svg role="img" aria-label="Coupling matrix" width="${side}" height="${side}" viewBox="0 0 ${side} ${side}" font-size="${size > 12 ? 11 : 9}">${names.join('')}${squares.join('')}${frames.join('')}</svg>`;
}

function whole({ services, matrix }: BoundariesReport): Matrix {
  const labels = services.flatMap(({ capabilities }) => capabilities);
  const row = new Map(labels.map((label, at) => [label, at]));
  let next = 0;
  const blocks = services.map(({ capabilities: { length } }) => {
    next += length;
    return { start: next - length, length };
  });
  const cells = matrix.pairs.map(({ a, b, coupling, parts }) => ({
    a: row.get(matrix.capabilities[a] as string) as number,
    b: row.get(matrix.capabilities[b] as string) as number,
    value: coupling,
    why: parts
      .map(({ criterion, value, evidence }) => `${criterion} ${value.toFixed(2)}: ${evidence}`)
      .join('\n'),
  }));
  return { labels, blocks, cells };
}

function coarse(report: BoundariesReport): Matrix {
  const shown = report.services
    .toSorted((x, y) => y.capabilities.length - x.capabilities.length)
    .slice(0, mostRows);
  const labels = shown.map(({ name }) => name);
  const cells = betweenServices(report).flatMap(({ from, to, coupling, pairs }) => {
    const [a, b] = [labels.indexOf(from), labels.indexOf(to)];
    return a < 0 || b < 0 ? [] : [{ a, b, value: coupling, why: `${pairs} pairs of capabilities` }];
  });
  return { labels, blocks: labels.map((_, start) => ({ start, length: 1 })), cells };
}

/** The coupling between services: the sum over the pairs of their capabilities. */
export function betweenServices({
  services,
  matrix,
}: BoundariesReport): { from: string; to: string; coupling: number; pairs: number }[] {
  const place = new Map(
    services.flatMap(({ name, capabilities }) => capabilities.map((each) => [each, name] as const)),
  );
  const found = new Map<string, { from: string; to: string; coupling: number; pairs: number }>();
  for (const { a, b, coupling } of matrix.pairs) {
    const ends = [a, b].map((at) => place.get(matrix.capabilities[at] as string) as string).sort();
    const [from, to] = ends as [string, string];
    if (from === to || coupling <= 0) continue;
    const entry = found.get(`${from}\n${to}`) ?? { from, to, coupling: 0, pairs: 0 };
    entry.coupling += coupling;
    entry.pairs++;
    found.set(`${from}\n${to}`, entry);
  }
  return [...found.values()];
}
