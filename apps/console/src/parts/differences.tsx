import type { ReactNode } from 'react';
import { useTexts } from '../texts/language.tsx';

/** One value that is to be another. */
export interface Difference {
  readonly at: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What it was and what it becomes, side by side. */
export function Differences({
  of,
  label,
}: {
  readonly of: readonly Difference[];
  readonly label?: string;
}): ReactNode {
  const t = useTexts();
  if (of.length === 0) return <p className="none">{t('Nothing differs.')}</p>;
  return (
    <div className="table-region" role="region" tabIndex={0} aria-label={label ?? t('What differs')}>
      <table className="diff" data-differences={of.length}>
        <thead>
          <tr>
            <th scope="col">{t('Key')}</th>
            <th scope="col">{t('Before')}</th>
            <th scope="col">{t('After')}</th>
          </tr>
        </thead>
        <tbody>
          {of.map(({ at, before, after }) => (
            <tr key={at} data-key={at}>
              <td>{at}</td>
              <td className="before">{shown(before)}</td>
              <td className="after">{shown(after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function shown(value: unknown): string {
  return value === undefined || value === null
    ? '–'
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}
