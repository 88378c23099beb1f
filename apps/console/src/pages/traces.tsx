import { Checkbox, Group, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Loading } from '../parts/loading.tsx';
import { NumberField } from '../parts/number-field.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Scatter } from '../parts/scatter.tsx';
import { State } from '../parts/state.tsx';
import { When } from '../parts/when.tsx';
import { duration } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface Summary {
  readonly traceId: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly service: string;
  readonly name: string;
  readonly spans: number;
  readonly failed: number;
  readonly services: readonly string[];
  readonly failedAt: string | null;
}

type Search = Readonly<
  Partial<Record<'service' | 'operation' | 'minMs' | 'failed' | 'tag' | 'minutes' | 'limit', string>>
>;

/** Traces that fit; the filter comes before the limit. */
export function TracesPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const minutes = Number(search.minutes ?? 60);
  const { data, error, isFetching } = useQuery({
    queryKey: ['traces', search],
    queryFn: () => ask<{ traces: Summary[]; more: boolean }>(`traces?${parametersOf(search, minutes)}`),
    placeholderData: (before) => before,
    refetchInterval: 10_000,
  });
  const go = (change: Search): void => {
    const next = Object.fromEntries(
      Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined && value !== ''),
    );
    void navigate({ to: '/traces', search: next, replace: true });
  };
  const open = ({ traceId }: { traceId: string }): void =>
    void navigate({ to: '/traces/$id', params: { id: traceId } });
  const traces = data?.traces ?? [];
  const note =
    data?.more === true
      ? t('The newest {count}; there are more.', { count: traces.length })
      : t('{count} traces', { count: traces.length });
  return (
    <Page title={t('Traces')} note={note} side={<OpenById />}>
      <TraceFilters search={search} go={go} />
      <Problem error={error} />
      {data === undefined ? (
        isFetching && <Loading />
      ) : traces.length === 0 ? (
        <Empty title={t('No trace fits.')}>
          {t(
            'Only sampled calls are kept: HEDDLE_TRACE_RATIO says how many. Another time or filter may show more.',
          )}
        </Empty>
      ) : (
        <>
          <Scatter
            label={t('Duration of each trace by its time; those that failed are red')}
            points={traces.map((trace) => ({
              key: trace.traceId,
              x: trace.startMs,
              y: trace.durationMs,
              bad: trace.failed > 0,
            }))}
            onOpen={(traceId) => open({ traceId })}
          />
          <TraceTable traces={traces} open={open} />
        </>
      )}
    </Page>
  );
}

function parametersOf(search: Search, minutes: number): string {
  const { minutes: _, ...others } = search;
  const now = Date.now();
  const parameters = new URLSearchParams({ from: String(now - minutes * 60_000), to: String(now + 1000) });
  for (const [name, value] of Object.entries(others)) if (value) parameters.set(name, value);
  return parameters.toString();
}

function TraceTable({
  traces,
  open,
}: {
  readonly traces: readonly Summary[];
  readonly open: (trace: Summary) => void;
}): ReactNode {
  const t = useTexts();
  return (
    <DataTable
      label={t('Traces')}
      rows={traces}
      keyOf={({ traceId }) => traceId}
      onOpen={open}
      columns={[
        {
          key: 'start',
          title: t('Time'),
          cell: ({ startMs }) => <When ms={startMs} />,
          sortBy: ({ startMs }) => startMs,
        },
        {
          key: 'name',
          title: t('Operation'),
          cell: ({ service, name }) => (
            <>
              <strong>{service}</strong> {name}
            </>
          ),
          sortBy: ({ service, name }) => `${service} ${name}`,
        },
        {
          key: 'state',
          title: t('State'),
          cell: ({ failed, failedAt }) =>
            failed > 0 ? (
              <span className="bad">{t('fails in {service}', { service: failedAt ?? '' })}</span>
            ) : (
              <State of="ok" />
            ),
          sortBy: ({ failed }) => failed,
        },
        {
          key: 'duration',
          title: t('Duration'),
          cell: ({ durationMs }) => duration(durationMs),
          sortBy: ({ durationMs }) => durationMs,
          numeric: true,
        },
        {
          key: 'spans',
          title: t('Spans'),
          cell: ({ spans }) => spans,
          sortBy: ({ spans }) => spans,
          numeric: true,
          wide: true,
        },
        {
          key: 'services',
          title: t('Services'),
          cell: ({ services }) => services.length,
          sortBy: ({ services }) => services.length,
          numeric: true,
          wide: true,
        },
      ]}
    />
  );
}

function TraceFilters({
  search,
  go,
}: {
  readonly search: Search;
  readonly go: (change: Search) => void;
}): ReactNode {
  const t = useTexts();
  const { data } = useQuery({
    queryKey: ['trace-names', search.service],
    queryFn: () =>
      ask<{ services: string[]; operations: string[] }>(
        `trace-names?service=${encodeURIComponent(search.service ?? '')}`,
      ),
  });
  const [tag, setTag] = useState(search.tag ?? '');
  return (
    <Group gap="sm" align="flex-end">
      <Select
        label={t('Service')}
        size="xs"
        w={150}
        searchable
        clearable
        data={data?.services ?? []}
        value={search.service ?? null}
        onChange={(service) => go({ service: service ?? undefined, operation: undefined })}
      />
      <Select
        label={t('Operation')}
        size="xs"
        w={220}
        searchable
        clearable
        disabled={search.service === undefined}
        data={data?.operations ?? []}
        value={search.operation ?? null}
        onChange={(operation) => go({ operation: operation ?? undefined })}
      />
      <NumberField
        label={t('At least (ms)')}
        size="xs"
        w={110}
        value={search.minMs ?? ''}
        onChange={(minMs) => go({ minMs })}
      />
      <TextInput
        label={t('Attribute')}
        placeholder="http.route=/orders"
        size="xs"
        w={180}
        value={tag}
        onChange={(event) => setTag(event.currentTarget.value)}
        onBlur={() => go({ tag })}
        onKeyDown={(event) => event.key === 'Enter' && go({ tag })}
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
        onChange={(value) => go({ minutes: value ?? '60' })}
      />
      <Checkbox
        label={t('Only failed')}
        size="sm"
        pb={6}
        checked={search.failed === 'true'}
        onChange={(event) => go({ failed: event.currentTarget.checked ? 'true' : undefined })}
      />
    </Group>
  );
}

function OpenById(): ReactNode {
  const t = useTexts();
  const navigate = useNavigate();
  return (
    <TextInput
      data-filter
      size="sm"
      w={240}
      placeholder={t('Open a trace by its id')}
      aria-label={t('Open a trace by its id')}
      onKeyDown={(event) => {
        const id = event.currentTarget.value.trim();
        if (event.key === 'Enter' && id !== '') void navigate({ to: '/traces/$id', params: { id } });
      }}
    />
  );
}
