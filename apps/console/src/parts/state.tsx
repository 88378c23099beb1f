import { Badge } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTexts } from '../texts/language.tsx';

const colors: Readonly<Record<string, string>> = {
  running: 'green',
  passing: 'green',
  completed: 'green',
  ok: 'green',
  inactive: 'green',
  resolved: 'green',
  draining: 'yellow',
  maintenance: 'yellow',
  warning: 'yellow',
  compensating: 'yellow',
  pending: 'yellow',
  starting: 'yellow',
  stopping: 'yellow',
  unhealthy: 'red',
  critical: 'red',
  unreachable: 'red',
  parked: 'red',
  firing: 'red',
  failed: 'red',
};

/** A state in a word, and in a colour for those who see it. */
export function State({ of }: { readonly of: string }): ReactNode {
  const t = useTexts();
  return (
    <Badge variant="light" color={colors[of] ?? 'gray'} data-state={of} radius="sm" tt="none">
      {t(of)}
    </Badge>
  );
}
