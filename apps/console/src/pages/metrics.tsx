import { Button, Group, Select, SimpleGrid, Textarea, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { ask } from '../data/http.ts';
import { useLive } from '../data/live.ts';
import { Chart } from '../parts/chart.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { number } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

type Search = Readonly<Partial<Record<'query' | 'minutes' | 'service', string>>>;

interface Matrix {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

/** Rate, errors and duration without any work, and a line for PromQL. */
export function MetricsPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { overview } = useLive();
  const [query, setQuery] = useState(search.query ?? '');
  const minutes = Number(search.minutes ?? 15);
  const go = (change: Search): void => {
    const next = Object.fromEntries(
      Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined && value !== ''),
    );
    void navigate({ to: '/metrics-explorer', search: next, replace: true });
  };
  const job = search.service === undefined ? '' : `job=${JSON.stringify(search.service)}`;
  return (
    <Page
      title={t('Metrics')}
      side={
        <>
          <Select
            aria-label={t('Service')}
            placeholder={t('all services')}
            size="xs"
            w={150}
            searchable
            clearable
            data={overview?.services.map(({ name }) => name) ?? []}
            value={search.service ?? null}
            onChange={(service) => go({ service: service ?? undefined })}
          />
          <Select
            aria-label={t('Time')}
            size="xs"
            w={110}
            allowDeselect={false}
            data={['5', '15', '60', '120'].map((value) => ({
              value,
              label: t('{minutes} min', { minutes: value }),
            }))}
            value={String(minutes)}
            onChange={(value) => go({ minutes: value ?? '15' })}
          />
        </>
      }
    >
      <Panels job={job} minutes={minutes} />
      <section aria-labelledby="promql">
        <Title order={2} id="promql" mb="xs">
          PromQL
        </Title>
        <Group align="flex-end" gap="sm" mb="sm">
          <Textarea
            data-filter
            aria-label="PromQL"
            autosize
            minRows={1}
            maxRows={6}
            style={{ flex: 1 }}
            ff="monospace"
            placeholder="sum by (job) (rate(rpc_server_calls_total[1m]))"
            value={query}
            onChange={(event) => setQuery(event.currentTarget.value)}
          />
          <Button size="sm" onClick={() => go({ query })}>
            {t('Show')}
          </Button>
        </Group>
        {search.query !== undefined && <Panel title={search.query} minutes={minutes} query={search.query} />}
      </section>
    </Page>
  );
}

function Panel({
  title,
  query,
  minutes,
}: {
  readonly title: string;
  readonly query: string;
  readonly minutes: number;
}): ReactNode {
  const t = useTexts();
  const paused = useLive().state === 'paused';
  const { data, error } = useQuery({
    queryKey: ['metrics', query, minutes],
    queryFn: async () => {
      const to = Math.floor(Date.now() / 1000);
      const from = to - minutes * 60;
      const answer = await ask<Matrix>(`/api/v1/query_range?${range(query, from, to)}`);
      return { from, to, ...seriesOf(answer) };
    },
    refetchInterval: paused ? false : 10_000,
    placeholderData: (before) => before,
  });
  const last = useMemo(
    () =>
      data?.lines
        .map(({ name, values }) => `${name} ${number(values.findLast((value) => value !== null) ?? 0)}`)
        .join(', ') ?? '',
    [data],
  );
  return (
    <section className="panel" aria-label={title}>
      <h3>{title}</h3>
      <Problem error={error} />
      {data === undefined ? (
        !error && <Loading />
      ) : !data.lines.some(({ values }) => values.some((value) => value !== null)) ? (
        <Empty title={t('Nothing was measured in this time.')} />
      ) : (
        <Chart label={`${title}: ${last}`} {...data} />
      )}
    </section>
  );
}

function range(query: string, from: number, to: number): string {
  const step = Math.max(10, Math.round((to - from) / 180));
  const texts = { start: String(from), end: String(to), step: String(step) };
  return new URLSearchParams({ query, ...texts }).toString();
}

/** Series share their times; where one has no value there is a gap. */
function seriesOf({ data }: Matrix): {
  times: readonly number[];
  lines: readonly { name: string; values: readonly (number | null)[] }[];
} {
  const times = [...new Set(data.result.flatMap(({ values }) => values.map(([time]) => time)))].toSorted(
    (a, b) => a - b,
  );
  const lines = data.result.slice(0, 50).map(({ metric, values }) => {
    const at = new Map(values.map(([time, value]) => [time, finite(value)] as const));
    const { __name__: name, ...labels } = metric;
    const told = Object.values(labels).join(' ');
    return { name: told || name || 'value', values: times.map((time) => at.get(time) ?? null) };
  });
  return { times, lines };
}

/** A quantile of nothing is no number. */
function finite(value: string): number | null {
  const read = Number(value);
  return Number.isFinite(read) ? read : null;
}

const failedCodes = 'unknown|internal|unavailable|data_loss|deadline_exceeded|unimplemented';

/** What two queries give together; a service that has only one of them keeps that. */
function together(one: string, other: string): string {
  return `(${one} + ${other}) or ${one} or ${other}`;
}

/** How often something was counted by each service, a second. */
function rateOf(counter: string, ...labels: readonly string[]): string {
  return `sum by (job) (rate(${counter}{${labels.filter(Boolean).join(',')}}[1m]))`;
}

function bucketsOf(histogram: string, job: string): string {
  return `sum by (job, le) (rate(${histogram}_bucket{${job}}[1m]))`;
}

function Panels({ job, minutes }: { readonly job: string; readonly minutes: number }): ReactNode {
  const t = useTexts();
  // A service may answer HTTP and RPC: both count, as on the overview.
  const panels = [
    [
      t('Requests a second'),
      together(rateOf('http_requests_total', job), rateOf('rpc_server_calls_total', job)),
    ],
    [
      t('Failed a second'),
      together(
        rateOf('http_requests_total', job, 'status_code=~"5.."'),
        rateOf('rpc_server_calls_total', job, `code=~"${failedCodes}"`),
      ),
    ],
    [
      t('95th percentile in seconds'),
      `histogram_quantile(0.95, ${together(bucketsOf('http_request_duration_seconds', job), bucketsOf('rpc_server_duration_seconds', job))})`,
    ],
    [t('CPU cores'), rateOf('process_cpu_seconds_total', job)],
  ] as const;
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }}>
      {panels.map(([title, query]) => (
        <Panel key={title} title={title} minutes={minutes} query={query} />
      ))}
    </SimpleGrid>
  );
}
