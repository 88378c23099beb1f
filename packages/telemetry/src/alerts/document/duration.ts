import { durationMs } from '../../promql/literals.ts';
import type { Place } from './place.ts';

/** A duration as Prometheus writes it (`5m`, `1h30m`), in milliseconds. */
export function durationAt(place: Place, fallback: number): number {
  const text = place.text();
  if (text === undefined) return fallback;
  const ms = /^\d+(\.\d+)?$/.test(text) && text !== '0' ? undefined : durationMs(text);
  if (ms !== undefined && ms >= 0) return ms;
  place.expected('a duration such as 30s, 5m or 1h30m');
  return fallback;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** Milliseconds as Prometheus writes them. */
export function durationText(ms: number): string {
  let rest = Math.round(ms);
  if (rest <= 0) return '0s';
  let text = '';
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
