import { Group, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** A page: its title, what stands beside it, its content. */
export function Page({
  title,
  note,
  side,
  children,
}: {
  readonly title: ReactNode;
  readonly note?: ReactNode;
  readonly side?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <Stack gap="md" className="page">
      <Group justify="space-between" align="flex-end" gap="sm">
        <div>
          <Title order={1}>{title}</Title>
          {note !== undefined && (
            <Text size="sm" c="dimmed">
              {note}
            </Text>
          )}
        </div>
        {side !== undefined && <Group gap="xs">{side}</Group>}
      </Group>
      {children}
    </Stack>
  );
}

/** Where there is nothing to show: why, and what to do about it. */
export function Empty({
  title,
  children,
}: {
  readonly title: ReactNode;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <div className="empty">
      <Text fw={600}>{title}</Text>
      {children !== undefined && (
        <Text size="sm" c="dimmed" component="div">
          {children}
        </Text>
      )}
    </div>
  );
}
