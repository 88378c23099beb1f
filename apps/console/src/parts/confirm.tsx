import { Button, type ButtonProps, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTexts } from '../texts/language.tsx';
import { Problem } from './problem.tsx';

interface ConfirmProps extends ButtonProps {
  readonly label: string;
  /** What will happen. */
  readonly question: ReactNode;
  /** Does it; the reason goes into the audit log. */
  readonly act: (why: string) => Promise<unknown>;
  readonly onDone?: () => void;
  /** Whether a reason is asked for. */
  readonly asksWhy?: boolean;
}

/** A button for what changes something: says what will happen, does it after a second yes, and shows what was refused. */
export function Confirm({
  label,
  question,
  act,
  onDone,
  asksWhy = false,
  ...button
}: ConfirmProps): ReactNode {
  const t = useTexts();
  const client = useQueryClient();
  const [opened, { open, close }] = useDisclosure();
  const [why, setWhy] = useState('');
  const doing = useMutation({
    mutationFn: () => act(why),
    onSuccess: async () => {
      close();
      setWhy('');
      onDone?.();
      await client.invalidateQueries();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    doing.mutate();
  };
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        {...button}
        onClick={() => {
          doing.reset();
          open();
        }}
      >
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={label} closeButtonProps={{ 'aria-label': t('Close') }}>
        <Stack component="form" onSubmit={submit}>
          <Text size="sm" component="div">
            {question}
          </Text>
          {asksWhy && (
            <TextInput
              label={t('Reason')}
              description={t('For the audit log')}
              value={why}
              onChange={(event) => setWhy(event.currentTarget.value)}
              data-autofocus
            />
          )}
          <Problem error={doing.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('Cancel')}
            </Button>
            <Button type="submit" loading={doing.isPending} color={button.color} data-confirm>
              {label}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
