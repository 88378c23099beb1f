import { TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTexts } from '../texts/language.tsx';

/** Narrows what a page shows; `/` goes there. */
export function Filter({
  value,
  onChange,
  placeholder,
}: {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
}): ReactNode {
  const t = useTexts();
  return (
    <TextInput
      data-filter
      type="search"
      size="xs"
      w={220}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      placeholder={placeholder ?? t('Filter')}
      aria-label={placeholder ?? t('Filter')}
    />
  );
}
