import type { ReactNode } from 'react';
import { duration } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface Point {
  readonly key: string;
  readonly x: number;
  readonly y: number;
  readonly bad: boolean;
}

const [width, height] = [1000, 110];

/** A point for each, later ones at the right, longer ones above on a logarithmic scale. */
export function Scatter({
  points,
  label,
  onOpen,
}: {
  readonly points: readonly Point[];
  readonly label: string;
  readonly onOpen: (key: string) => void;
}): ReactNode {
  const t = useTexts();
  const [from, to] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const most = Math.max(1, ...points.map(({ y }) => y));
  const xOf = (x: number): number =>
    to === from ? width / 2 : ((x - from) / (to - from)) * (width - 16) + 8;
  const yOf = (y: number): number => height - 8 - (Math.log10(1 + y) / Math.log10(1 + most)) * (height - 20);
  return (
    <figure className="scatter">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {points.map(({ key, x, y, bad }) => (
          <path key={key} d={`M${xOf(x)} ${yOf(y)}h0.01`} data-bad={bad} onClick={() => onOpen(key)} />
        ))}
      </svg>
      <figcaption>{t('The longest: {duration}', { duration: duration(most) ?? '' })}</figcaption>
    </figure>
  );
}
