import { Group, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useLive } from '../data/live.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { When } from '../parts/when.tsx';
import { useTexts } from '../texts/language.tsx';

interface Line {
  readonly timeMs: number;
  readonly severity: number;
  readonly severityText: string;
  readonly body: string;
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

type Search = Readonly<Partial<Record<'service' | 'level' | 'text' | 'trace' | 'minutes' | 'limit', string>>>;

/** Lines of all services; they follow by themselves. */
export function LogsPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const paused = useLive().state === 'paused';
  const { data, error } = useQuery({
    queryKey: ['logs', search],
    queryFn: () => ask<{ lines: Line[] }>(`/api/logs?${parametersOf(search)}`),
    refetchInterval: paused ? false : 3000,
    placeholderData: (before) => before,
  });
  const lines = data?.lines ?? [];
  return (
    <Page title={t('Logs')} note={t('{count} lines, the newest first', { count: lines.length })}>
      <LogFilters search={search} />
      <Problem error={error} />
      {data === undefined ? (
        !error && <Loading />
      ) : lines.length === 0 ? (
        <Empty title={t('No line fits.')}>
          {t('Lines come from programs that send their logs by OTLP. Another time or filter may show more.')}
        </Empty>
      ) : (
        <Lines lines={lines} />
      )}
    </Page>
  );
}

function parametersOf({ minutes, limit, ...others }: Search): string {
  const now = Date.now();
  const parameters = new URLSearchParams({
    from: String(now - Number(minutes ?? 60) * 60_000),
    limit: limit ?? '1000',
  });
  for (const [name, value] of Object.entries(others)) if (value) parameters.set(name, value);
  return parameters.toString();
}

function Lines({ lines }: { readonly lines: readonly Line[] }): ReactNode {
  const t = useTexts();
  const rows = lines.map((line, at) => ({ ...line, key: `${line.timeMs} ${line.spanId} ${at}` }));
  return (
    <DataTable
      label={t('Logs')}
      rows={rows}
      keyOf={({ key }) => key}
      columns={[
        {
          key: 'time',
          title: t('Time'),
          cell: ({ timeMs }) => <When ms={timeMs} />,
        },
        {
          key: 'level',
          title: t('Level'),
          cell: ({ severity, severityText }) => (
            <span className={severity >= 17 ? 'bad' : severity >= 13 ? 'warn' : undefined}>
              {severityText || severity}
            </span>
          ),
        },
        {
          key: 'service',
          title: t('Service'),
          cell: ({ service }) => <strong>{service}</strong>,
          wide: true,
        },
        {
          key: 'body',
          title: t('Line'),
          cell: ({ body, attributes }) => (
            <span className="line" title={JSON.stringify(attributes)}>
              {body} <span className="none">{shortened(attributes)}</span>
            </span>
          ),
        },
        {
          key: 'trace',
          title: t('Trace'),
          cell: ({ traceId }) =>
            traceId === '' ? (
              ''
            ) : (
              <Link to="/traces/$id" params={{ id: traceId }}>
                {traceId.slice(0, 8)}
              </Link>
            ),
          wide: true,
        },
      ]}
    />
  );
}

function shortened(attributes: Readonly<Record<string, unknown>>): string {
  return Object.entries(attributes)
    .slice(0, 6)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
    .slice(0, 160);
}

function LogFilters({ search }: { readonly search: Search }): ReactNode {
  const t = useTexts();
  const navigate = useNavigate();
  const { overview } = useLive();
  const [text, setText] = useState(search.text ?? '');
  const [trace, setTrace] = useState(search.trace ?? '');
  const go = (change: Search): void => {
    const next = Object.fromEntries(
      Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined && value !== ''),
    );
    void navigate({ to: '/logs', search: next, replace: true });
  };
  return (
    <Group gap="sm" align="flex-end">
      <TextInput
        data-filter
        type="search"
        label={t('Contains')}
        size="xs"
        w={220}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={() => go({ text })}
        onKeyDown={(event) => event.key === 'Enter' && go({ text })}
      />
      <Select
        label={t('Service')}
        size="xs"
        w={150}
        searchable
        clearable
        data={overview?.services.map(({ name }) => name) ?? []}
        value={search.service ?? null}
        onChange={(service) => go({ service: service ?? undefined })}
      />
      <Select
        label={t('Level')}
        size="xs"
        w={110}
        clearable
        data={['debug', 'info', 'warn', 'error']}
        value={search.level ?? null}
        onChange={(level) => go({ level: level ?? undefined })}
      />
      <TextInput
        label={t('Trace')}
        size="xs"
        w={200}
        value={trace}
        onChange={(event) => setTrace(event.currentTarget.value)}
        onBlur={() => go({ trace })}
        onKeyDown={(event) => event.key === 'Enter' && go({ trace })}
      />
      <Select
        label={t('Time')}
        size="xs"
        w={110}
        allowDeselect={false}
        data={['5', '15', '60', '360', '1440'].map((value) => ({
          value,
          label: t('{minutes} min', { minutes: value }),
        }))}
        value={search.minutes ?? '60'}
        onChange={(minutes) => go({ minutes: minutes ?? '60' })}
      />
    </Group>
  );
}
