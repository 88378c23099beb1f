import { Button, Checkbox, Code, Drawer, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { DataTable } from '../parts/data-table.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { moment, number } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface Topics {
  readonly engine: string;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: number;
    readonly retentionMs: number;
  }[];
  readonly deadLetters: readonly { readonly topic: string; readonly group: string; readonly count: number }[];
}

interface Letter {
  readonly message: {
    readonly id: string;
    readonly key: string;
    readonly type: string;
    readonly content: string | null;
    readonly bytes: number;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly attempts: number;
  readonly reason: string;
  readonly error: string;
  readonly deadAtMs: number;
}

type Search = Readonly<Partial<Record<'topic' | 'group', string>>>;

/** Topics, and what groups could not handle. */
export function MessagesPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { data, error } = useQuery({
    queryKey: ['topics'],
    queryFn: () => ask<Topics>('topics'),
    refetchInterval: 5000,
  });
  const open = (next: Search): void => void navigate({ to: '/messages', search: next });
  if (data === undefined)
    return <Page title={t('Messages')}>{error ? <Problem error={error} /> : <Loading />}</Page>;
  const { topic, group } = search;
  return (
    <Page title={t('Messages')} note={t('Broker: {engine}', { engine: data.engine })}>
      <Problem error={error} />
      <section aria-labelledby="dead">
        <Title order={2} id="dead" mb="xs">
          {t('Dead letters')}
        </Title>
        {data.deadLetters.length === 0 ? (
          <Empty title={t('There are none: every group has handled what it got.')} />
        ) : (
          <DeadTable letters={data.deadLetters} opened={`${topic} ${group}`} open={open} />
        )}
      </section>
      {topic !== undefined && group !== undefined && (
        <Letters topic={topic} group={group} key={`${topic} ${group}`} />
      )}
      <section aria-labelledby="topics">
        <Title order={2} id="topics" mb="xs">
          {t('Topics')}
        </Title>
        {data.topics.length === 0 ? (
          <Empty title={t('There are no topics.')}>
            {t('A topic is made by the program that uses it, or by "heddle topics create".')}
          </Empty>
        ) : (
          <TopicTable topics={data.topics} />
        )}
      </section>
    </Page>
  );
}

function Letters({ topic, group }: { readonly topic: string; readonly group: string }): ReactNode {
  const t = useTexts();
  const path = `dead-letters/${encodeURIComponent(topic)}/${encodeURIComponent(group)}`;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [opened, setOpened] = useState<Letter>();
  const [mayReplay, mayDrop] = [useMay('operator'), useMay('admin')];
  const { data, error } = useQuery({
    queryKey: ['letters', path],
    queryFn: () => ask<{ letters: Letter[] }>(path),
    refetchInterval: 5000,
  });
  const letters = data?.letters ?? [];
  const ids = letters.map(({ message }) => message.id).filter((id) => chosen.has(id));
  const toggle = (id: string): void =>
    setChosen((now) => (now.has(id) ? new Set([...now].filter((one) => one !== id)) : new Set([...now, id])));
  const all = (): void =>
    setChosen(ids.length === letters.length ? new Set() : new Set(letters.map(({ message }) => message.id)));
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Text fw={600}>{t('{group} of {topic}', { group, topic })}</Text>
        <Button size="compact-sm" variant="default" onClick={all}>
          {t('Choose all')}
        </Button>
        {mayReplay && (
          <Confirm
            label={t('Replay')}
            disabled={ids.length === 0}
            asksWhy
            act={(why) => ask(`${path}/replay`, 'POST', { ids, why })}
            question={t(
              '{count} messages are sent to {topic} again, one after another. Every group of the topic sees them again.',
              { count: ids.length, topic },
            )}
          />
        )}
        {mayDrop && (
          <Confirm
            label={t('Drop')}
            color="red"
            disabled={ids.length === 0}
            asksWhy
            act={(why) => ask(`${path}/drop`, 'POST', { ids, why })}
            question={t('{count} messages are gone for good.', { count: ids.length })}
          />
        )}
      </Group>
      <Problem error={error} />
      <LetterTable letters={letters} chosen={chosen} toggle={toggle} open={setOpened} />
      <Drawer
        opened={opened !== undefined}
        onClose={() => setOpened(undefined)}
        position="right"
        size="lg"
        title={opened?.message.id}
        closeButtonProps={{ 'aria-label': t('Close') }}
      >
        {opened && (
          <Stack>
            <Text size="sm" className="bad">{`${opened.reason}: ${opened.error}`}</Text>
            <Code block>{JSON.stringify(opened.message.headers, undefined, 2)}</Code>
            <Code block>
              {opened.message.content ?? t('{bytes} bytes that are no text', { bytes: opened.message.bytes })}
            </Code>
          </Stack>
        )}
      </Drawer>
    </Stack>
  );
}

function DeadTable({
  letters,
  opened,
  open,
}: {
  readonly letters: Topics['deadLetters'];
  readonly opened: string;
  readonly open: (next: Search) => void;
}): ReactNode {
  const t = useTexts();
  return (
    <DataTable
      label={t('Dead letters')}
      rows={letters}
      keyOf={(one) => `${one.topic} ${one.group}`}
      opened={opened}
      onOpen={(one) => open({ topic: one.topic, group: one.group })}
      columns={[
        {
          key: 'topic',
          title: t('Topic'),
          cell: (one) => <strong>{one.topic}</strong>,
          sortBy: (one) => one.topic,
        },
        { key: 'group', title: t('Group'), cell: (one) => one.group, sortBy: (one) => one.group },
        {
          key: 'count',
          title: t('Dead letters'),
          cell: ({ count }) => <span className="bad">{count}</span>,
          sortBy: ({ count }) => count,
          numeric: true,
        },
      ]}
    />
  );
}

function TopicTable({ topics }: Pick<Topics, 'topics'>): ReactNode {
  const t = useTexts();
  return (
    <DataTable
      label={t('Topics')}
      rows={topics}
      keyOf={({ name }) => name}
      columns={[
        {
          key: 'name',
          title: t('Topic'),
          cell: ({ name }) => <strong>{name}</strong>,
          sortBy: ({ name }) => name,
        },
        {
          key: 'partitions',
          title: t('Partitions'),
          cell: ({ partitions }) => partitions,
          sortBy: ({ partitions }) => partitions,
          numeric: true,
        },
        {
          key: 'kept',
          title: t('Kept for'),
          cell: ({ retentionMs }) => t('{hours} h', { hours: number(retentionMs / 3_600_000) }),
          sortBy: ({ retentionMs }) => retentionMs,
          numeric: true,
        },
      ]}
    />
  );
}

function LetterTable({
  letters,
  chosen,
  toggle,
  open,
}: {
  readonly letters: readonly Letter[];
  readonly chosen: ReadonlySet<string>;
  readonly toggle: (id: string) => void;
  readonly open: (letter: Letter) => void;
}): ReactNode {
  const t = useTexts();
  return (
    <DataTable
      label={t('Dead letters')}
      rows={letters}
      keyOf={({ message }) => message.id}
      onOpen={open}
      columns={[
        {
          key: 'choose',
          title: t('Choose'),
          cell: ({ message }) => (
            <Checkbox
              aria-label={message.id}
              checked={chosen.has(message.id)}
              onChange={() => toggle(message.id)}
              onClick={(event) => event.stopPropagation()}
              size="xs"
            />
          ),
        },
        {
          key: 'reason',
          title: t('Reason'),
          cell: ({ reason, error: why }) => (
            <>
              <strong>{reason}</strong> {why.slice(0, 90)}
            </>
          ),
          sortBy: ({ reason }) => reason,
        },
        {
          key: 'attempts',
          title: t('Attempts'),
          cell: ({ attempts }) => attempts,
          sortBy: ({ attempts }) => attempts,
          numeric: true,
        },
        {
          key: 'since',
          title: t('Since'),
          cell: ({ deadAtMs }) => moment(deadAtMs),
          sortBy: ({ deadAtMs }) => deadAtMs,
        },
        {
          key: 'type',
          title: t('Type'),
          cell: ({ message }) => message.type,
          sortBy: ({ message }) => message.type,
          wide: true,
        },
      ]}
    />
  );
}
