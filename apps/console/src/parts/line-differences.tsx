import type { ReactNode } from 'react';
import { useTexts } from '../texts/language.tsx';
import { lineDiff } from './line-diff.ts';

const signs = { same: ' ', removed: '−', added: '+' } as const;

/** A text as it was and as it is to be: the lines that differ. */
export function LineDifferences({
  before,
  after,
}: {
  readonly before: string;
  readonly after: string;
}): ReactNode {
  const t = useTexts();
  const lines = lineDiff(before, after);
  if (lines.every(({ is }) => is === 'same' || is === 'passed'))
    return <p className="none">{t('Nothing differs.')}</p>;
  return (
    <div className="table-region" role="region" tabIndex={0} aria-label={t('What differs')}>
      <table
        className="line-diff"
        data-lines={lines.filter(({ is }) => is === 'added' || is === 'removed').length}
      >
        <tbody>
          {lines.map((line) =>
            line.is === 'passed' ? (
              <tr key={`p${line.before}`} data-is="passed">
                <td colSpan={3}>{t('{count} lines are the same', { count: line.count })}</td>
              </tr>
            ) : (
              <tr key={`${line.is} ${line.before} ${line.after}`} data-is={line.is}>
                <td className="number">{line.is === 'added' ? line.after : line.before}</td>
                <td aria-hidden="true">{signs[line.is]}</td>
                <td>{line.text}</td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}
