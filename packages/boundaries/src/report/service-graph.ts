import { escapeHtml } from './escape-html.ts';
import { betweenServices } from './heat-map.ts';
import type { BoundariesReport } from './report.ts';

/** A ring of more services is a ball of wool. */
const mostServices = 40;

/** The services on a ring as SVG: their size tells how many capabilities, lines their coupling, arrows who calls whom. */
export function serviceGraph(report: BoundariesReport): string {
  const shown = report.services
    .toSorted((x, y) => y.capabilities.length - x.capabilities.length)
    .slice(0, mostServices);
  const radius = Math.max(120, shown.length * 26);
  const [width, height] = [2 * radius + 420, 2 * radius + 110];
  const places = new Map(
    shown.map((service, at) => {
      const angle = (2 * Math.PI * at) / shown.length - Math.PI / 2;
      const size = 12 + 5 * Math.sqrt(service.capabilities.length);
      const x = width / 2 + radius * Math.cos(angle);
      return [service.name, { x, y: height / 2 + radius * Math.sin(angle), size, angle, service }] as const;
    }),
  );
  const bonds = betweenServices(report);
  const most = bonds.reduce((max, { coupling }) => Math.max(max, coupling), 1e-9);
  const lines = bonds.map(({ from, to, coupling, pairs }) => {
    const [a, b] = [places.get(from), places.get(to)];
    if (a === undefined || b === undefined) return '';
    const title = escapeHtml(`${from} – ${to}: coupling ${coupling.toFixed(2)} over ${pairs} pairs`);
    return `<line class="bond" x1="${a.x}" y1="${a.y}" x2="${b.x}" y2="${b.y}" stroke-width="${(1 + (6 * coupling) / most).toFixed(1)}"><title>${title}</title></line>`;
  });
  const arrows = shown.flatMap(({ name, calls }) =>
    calls.map((other) => {
      const [a, b] = [places.get(name), places.get(other)];
      return a === undefined || b === undefined ? '' : arrow(a, b, `${name} calls ${other}`);
    }),
  );
  const nodes = [...places.values()].map(({ x, y, size, angle, service }) => {
    const title = escapeHtml(`${service.name}: ${service.capabilities.slice(0, 12).join(', ')}`);
    const [lx, ly] = [x + (size + 7) * Math.cos(angle), y + (size + 12) * Math.sin(angle)];
    const anchor = Math.abs(Math.cos(angle)) < 0.2 ? 'middle' : Math.cos(angle) > 0 ? 'start' : 'end';
    return `<circle cx="${x}" cy="${y}" r="${size.toFixed(1)}"><title>${title}</title></circle><text class="count" x="${x}" y="${y}" text-anchor="middle" dominant-baseline="central">${service.capabilities.length}</text><text x="${lx.toFixed(1)}" y="${ly.toFixed(1)}" text-anchor="${anchor}" dominant-baseline="central">${escapeHtml(service.name)}</text>`;
  });
  const head =
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>';
  return `<svg role="img" aria-label="Services and their calls" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-size="13">${head}${lines.join('')}${arrows.join('')}${nodes.join('')}</svg>`;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** From rim to rim, a little bent, so that two directions are two lines. */
function arrow(a: Place, b: Place, title: string): string {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const bend = Math.min(28, length / 8);
  const start = [a.x + ux * (a.size + 2) - uy * 4, a.y + uy * (a.size + 2) + ux * 4];
  const end = [b.x - ux * (b.size + 4) - uy * 4, b.y - uy * (b.size + 4) + ux * 4];
  const middle = [(a.x + b.x) / 2 - uy * bend, (a.y + b.y) / 2 + ux * bend];
  const numbers = [start, middle, end].map((point) => point.map((each) => each.toFixed(1)).join(' '));
  return `<path class="call" d="M${numbers[0]}Q${numbers[1]} ${numbers[2]}" marker-end="url(#head)"><title>${escapeHtml(title)}</title></path>`;
}
