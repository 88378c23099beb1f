import type { ReactNode } from 'react';

const [width, height] = [150, 32];

/** Rates of the last minutes, the newest at the right, errors in red. Where nothing was measured there is a gap, not a zero. */
export function Spark({
  perSecond,
  errors,
  label,
}: {
  readonly perSecond: readonly (number | null)[];
  readonly errors: readonly (number | null)[];
  readonly label: string;
}): ReactNode {
  const peak = Math.max(0, ...perSecond.filter((value) => value !== null));
  const scale = peak > 0 ? (height - 4) / peak : 0;
  const hasErrors = errors.some((value) => value !== null && value > 0);
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <line className="base" x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} />
      {runs(perSecond, scale).map((points) => (
        <polyline key={points} className="rate" points={points} />
      ))}
      {hasErrors &&
        runs(errors, scale).map((points) => (
          <polyline key={`e${points}`} className="error" points={points} />
        ))}
    </svg>
  );
}

function runs(values: readonly (number | null)[], scale: number): string[] {
  const all: string[][] = [[]];
  values.forEach((value, at) => {
    if (value === null) all.push([]);
    else all.at(-1)?.push(`${width - (values.length - 1 - at)},${(height - 1 - value * scale).toFixed(1)}`);
  });
  return all.filter((run) => run.length > 1).map((run) => run.join(' '));
}
