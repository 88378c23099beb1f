import { Button, Modal, PasswordInput, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { Problem } from '../parts/problem.tsx';
import { useTexts } from '../texts/language.tsx';

/** Changes one's own password; all other sessions of the user end. */
export function OwnPassword({
  opened,
  close,
}: {
  readonly opened: boolean;
  readonly close: () => void;
}): ReactNode {
  const t = useTexts();
  const [before, setBefore] = useState('');
  const [password, setPassword] = useState('');
  const change = useMutation({
    mutationFn: () => ask('me/password', 'PUT', { before, password }),
    onSuccess: () => {
      setBefore('');
      setPassword('');
      close();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={t('Change the password')}
      closeButtonProps={{ 'aria-label': t('Close') }}
    >
      <Stack component="form" onSubmit={submit}>
        <PasswordInput
          label={t('Password until now')}
          autoComplete="current-password"
          value={before}
          onChange={(event) => setBefore(event.currentTarget.value)}
        />
        <PasswordInput
          label={t('New password')}
          description={t('10 characters or more')}
          autoComplete="new-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Problem error={change.error} />
        <Button type="submit" loading={change.isPending}>
          {t('Change')}
        </Button>
      </Stack>
    </Modal>
  );
}
