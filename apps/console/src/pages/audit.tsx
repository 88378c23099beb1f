import { Code, Drawer, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Filter } from '../parts/filter.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { State } from '../parts/state.tsx';
import { When } from '../parts/when.tsx';
import { moment } from '../texts/format.ts';
import { type Translate, useTexts } from '../texts/language.tsx';

interface Entry {
  readonly number: number;
  readonly atMs: number;
  readonly who: string;
  readonly role: string;
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly message?: string;
  readonly input?: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Who did what, and what was refused. */
export function AuditPage(): ReactNode {
  const t = useTexts();
  const [text, setText] = useState('');
  const [opened, setOpened] = useState<Entry>();
  const { data, error } = useQuery({
    queryKey: ['audit', text],
    queryFn: () => ask<{ entries: Entry[] }>(`audit?text=${encodeURIComponent(text)}`),
    placeholderData: (before) => before,
  });
  const entries = data?.entries ?? [];
  return (
    <Page
      title={t('Audit log')}
      note={t(
        'Each line holds the digest of the one before: whoever changes one would have to change all after it.',
      )}
      side={<Filter value={text} onChange={setText} />}
    >
      <Problem error={error} />
      {entries.length === 0 ? (
        <Empty title={t('Nothing was changed yet.')} />
      ) : (
        <DataTable
          label={t('Audit log')}
          rows={entries}
          keyOf={({ number }) => String(number)}
          onOpen={setOpened}
          columns={[
            {
              key: 'at',
              title: t('Time'),
              cell: ({ atMs }) => <When ms={atMs} />,
              sortBy: ({ atMs }) => atMs,
            },
            {
              key: 'who',
              title: t('Who'),
              cell: ({ who }) => <strong>{who}</strong>,
              sortBy: ({ who }) => who,
            },
            {
              key: 'action',
              title: t('Action'),
              cell: ({ action, target }) => actionOf(t, action, target),
              sortBy: ({ action }) => action,
            },
            {
              key: 'outcome',
              title: t('Outcome'),
              cell: ({ outcome }) => <State of={outcome} />,
              sortBy: ({ outcome }) => outcome,
            },
          ]}
        />
      )}
      <Drawer
        opened={opened !== undefined}
        onClose={() => setOpened(undefined)}
        position="right"
        size="lg"
        title={opened && `${opened.action} ${opened.target}`}
        closeButtonProps={{ 'aria-label': t('Close') }}
      >
        {opened && <EntryDetails entry={opened} />}
      </Drawer>
    </Page>
  );
}

function EntryDetails({ entry }: { readonly entry: Entry }): ReactNode {
  const t = useTexts();
  const parts = [
    [t('Asked for'), entry.input],
    [t('Before'), entry.before],
    [t('After'), entry.after],
  ] as const;
  return (
    <Stack>
      <Text size="sm">{`${entry.who} (${t(entry.role)}), ${moment(entry.atMs)}: ${entry.outcome} ${entry.message ?? ''}`}</Text>
      {parts.map(([title, value]) =>
        value === undefined ? null : (
          <div key={title}>
            <Text size="sm" fw={600}>
              {title}
            </Text>
            <Code block>{JSON.stringify(value, undefined, 2)}</Code>
          </div>
        ),
      )}
    </Stack>
  );
}

/** `PUT /instances/:service/:id` of something is told with what it is; `sign in` of somebody with whom. */
function actionOf(t: Translate, action: string, target: string): string {
  const [method = '', path = ''] = action.split(' ');
  if (path.startsWith('/')) return `${method} ${target}`;
  const spoken = { 'sign in': t('sign in'), 'sign out': t('sign out') }[action] ?? action;
  return `${spoken}: ${target}`;
}
