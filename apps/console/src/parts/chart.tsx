import { useEffect, useRef, type ReactNode } from 'react';
import uPlot from 'uplot';
import { moment, number } from '../texts/format.ts';

const strokes = ['#3878ea', '#e8590c', '#2b8a3e', '#ae3ec9', '#c92a2a', '#0c8599', '#a07000', '#5f3dc4'];

const places = new Map<string, number>();

/** A name has one colour in all charts, whichever lines are beside it. */
function strokeOf(name: string): string {
  const at = places.get(name) ?? places.size;
  places.set(name, at);
  return strokes[at % strokes.length] ?? '';
}

function clock(seconds: number): string {
  return moment(seconds * 1000).slice(11);
}

/** Lines over time: seconds since 1970, and a list of values for each line; null leaves a gap. */
export function Chart({
  label,
  from,
  to,
  times,
  lines,
  height = 200,
}: {
  readonly label: string;
  /** The time that is shown, measured or not, so that charts beside each other show the same. */
  readonly from: number;
  readonly to: number;
  readonly times: readonly number[];
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly height?: number;
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const color = getComputedStyle(element).color;
    const axis = {
      stroke: color,
      grid: { stroke: `color-mix(in srgb, ${color} 14%, transparent)`, width: 1 },
      ticks: { width: 0 },
    };
    const series = lines.map(({ name }) => ({
      label: name,
      stroke: strokeOf(name),
      width: 1.5,
      // Until somebody points at a time there is none to tell the value of.
      value: (_: uPlot, value: number | null) => (value === null ? '' : number(value)),
      points: { show: false },
    }));
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        padding: [8, 8, 0, 0],
        scales: {
          x: {
            // What somebody has drawn a frame around, else all.
            range: (_, min, max) => (min === times[0] && max === times.at(-1) ? [from, to] : [min, max]),
          },
          // From nothing on: half of a rate must not look like none of it.
          y: { range: (_, min, max) => uPlot.rangeNum(Math.min(0, min), Math.max(0, max), 0.1, true) },
        },
        series: [{ label: ' ', value: (_, time) => (time === null ? '' : clock(time)) }, ...series],
        axes: [
          { ...axis, values: (_, all) => all.map(clock), space: 70, size: 28 },
          { ...axis, size: 56 },
        ],
        legend: { show: lines.length <= 12 },
        cursor: { drag: { x: true, y: false } },
      },
      [times as number[], ...lines.map(({ values }) => values as (number | null)[])],
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [from, to, times, lines, height]);
  return <div className="chart" ref={place} role="img" aria-label={label} />;
}
