import type { ReactNode } from 'react';
import { useTexts } from '../texts/language.tsx';

const levels: Readonly<Record<string, readonly string[]>> = {
  good: ['running', 'passing', 'completed', 'ok', 'inactive', 'resolved', 'done'],
  warn: [
    'draining',
    'maintenance',
    'warning',
    'compensating',
    'pending',
    'starting',
    'stopping',
    'silenced',
    'interrupted',
  ],
  bad: ['unhealthy', 'critical', 'unreachable', 'parked', 'firing', 'failed', 'taken-back'],
};

/** A state in a word, and in a colour for those who see it. */
export function State({ of }: { readonly of: string }): ReactNode {
  const t = useTexts();
  const level = Object.keys(levels).find((one) => levels[one]?.includes(of));
  return (
    <span className="state" data-state={of} data-level={level}>
      {t(of)}
    </span>
  );
}
