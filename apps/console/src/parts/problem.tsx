import { Alert } from '@mantine/core';
import type { ReactNode } from 'react';
import { Refusal } from '../data/http.ts';
import { useTexts } from '../texts/language.tsx';
import { Icon } from './icon.tsx';

/** What went wrong, in the server's words, and by its reason in the language of the page where that is known. */
export function Problem({ error }: { readonly error: Error | null | undefined }): ReactNode {
  const t = useTexts();
  if (error === null || error === undefined) return null;
  const { message } = error;
  const reason = error instanceof Refusal ? error.reason : '';
  const known = t(`reason ${reason}`);
  return (
    <Alert color="red" variant="light" icon={<Icon name="stop" />} role="alert" data-reason={reason}>
      {known === `reason ${reason}` ? message : known}
    </Alert>
  );
}
