import type { ReactNode } from 'react';
import { useTexts } from '../texts/language.tsx';

/** A measured value, or a dash that says that there is none. */
export function Measured({
  value,
  bad = false,
}: {
  readonly value: string | null | undefined;
  readonly bad?: boolean;
}): ReactNode {
  const t = useTexts();
  if (value === null || value === undefined)
    return (
      <span className="none" title={t('not measured')}>
        –
      </span>
    );
  return <span className={bad ? 'bad' : undefined}>{value}</span>;
}
