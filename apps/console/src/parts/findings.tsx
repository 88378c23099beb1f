import type { ReactNode } from 'react';
import { useTexts } from '../texts/language.tsx';

/** What an analysis has found in rules. */
export interface MeshFinding {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly explanation?: string;
  readonly fix?: string;
}

/** Findings with their place, why each matters, and what to do. */
export function FindingList({ of }: { readonly of: readonly MeshFinding[] }): ReactNode {
  const t = useTexts();
  if (of.length === 0) return null;
  return (
    <ul className="findings" data-findings={of.length} aria-label={t('Findings')}>
      {of.map(({ code, severity, file, line, column, message, explanation, fix }) => (
        <li key={`${file}:${line}:${column} ${code} ${message}`} data-severity={severity} data-code={code}>
          <span className="level">{t(severity)}</span>{' '}
          <span className="id">{`${file}:${line}:${column}`}</span> {message}
          <div className="fix">{[code, explanation, fix].filter(Boolean).join(' · ')}</div>
        </li>
      ))}
    </ul>
  );
}
