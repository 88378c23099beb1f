import { Button, Drawer, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { ask } from '../data/http.ts';
import { useLive } from '../data/live.ts';
import { useMay } from '../data/session.ts';
import type { InstanceView } from '../data/views.ts';
import { Confirm } from '../parts/confirm.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Filter } from '../parts/filter.tsx';
import { Loading } from '../parts/loading.tsx';
import { Measured } from '../parts/measured.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { State } from '../parts/state.tsx';
import { age, duration, megabytes, number, percent } from '../texts/format.ts';
import { type Translate, useTexts } from '../texts/language.tsx';

interface Row extends InstanceView {
  readonly service: string;
}

interface Search {
  readonly name?: string;
  readonly text?: string;
  readonly id?: string;
}

/** Every instance of every service; what is chosen is in the address. */
export function ServicesPage(): ReactNode {
  const t = useTexts();
  const { overview } = useLive();
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const go = (change: Search): void =>
    void navigate({ to: '/services', search: { ...search, ...change }, replace: true });
  const columns = useMemo(() => columnsIn(t), [t]);
  const rows = useMemo(
    () =>
      (overview?.services ?? []).flatMap(({ name, instances }) =>
        instances.map((one): Row => ({ ...one, service: name })),
      ),
    [overview],
  );
  if (overview === undefined) return <Loading />;
  const wanted = (search.text ?? '').toLowerCase();
  const shown = rows.filter(
    (row) =>
      (search.name === undefined || row.service === search.name) &&
      (wanted === '' ||
        `${row.service} ${row.id} ${row.zone} ${row.version} ${row.address} ${stateOf(row)}`
          .toLowerCase()
          .includes(wanted)),
  );
  const opened = rows.find(({ id }) => id === search.id);
  return (
    <Page
      title={search.name ?? t('Services')}
      note={t('{shown} of {all} instances', { shown: shown.length, all: rows.length })}
      side={
        <>
          {search.name !== undefined && (
            <Button component={Link} to="/services" size="compact-sm" variant="default">
              {t('All services')}
            </Button>
          )}
          <Filter value={search.text ?? ''} onChange={(text) => go({ text })} />
        </>
      }
    >
      {shown.length === 0 ? (
        <Empty title={t('No instance fits.')}>
          {rows.length === 0 ? t('No service is registered yet.') : t('Another filter may.')}
        </Empty>
      ) : (
        <DataTable
          label={t('Instances')}
          columns={columns}
          rows={shown}
          keyOf={({ id }) => id}
          opened={search.id}
          onOpen={({ id }) => go({ id })}
        />
      )}
      <Drawer
        opened={opened !== undefined}
        onClose={() => go({ id: undefined })}
        position="right"
        size="md"
        title={opened?.id}
        closeButtonProps={{ 'aria-label': t('Close') }}
      >
        {opened !== undefined && <InstanceDetails row={opened} />}
      </Drawer>
    </Page>
  );
}

function stateOf({ state, metrics }: InstanceView): string {
  return metrics === 'unreachable' ? 'unreachable' : state;
}

function columnsIn(t: Translate): readonly Column<Row>[] {
  const measured = (value: string | null | undefined, bad = false): ReactNode => (
    <Measured value={value} bad={bad} />
  );
  return [
    {
      key: 'service',
      title: t('Service'),
      cell: ({ service }) => <strong>{service}</strong>,
      sortBy: ({ service }) => service,
      // The name of an instance says it too.
      wide: true,
    },
    {
      key: 'id',
      title: t('Instance'),
      cell: ({ id }) => <span className="id">{id}</span>,
      sortBy: ({ id }) => id,
    },
    { key: 'state', title: t('State'), cell: (row) => <State of={stateOf(row)} />, sortBy: stateOf },
    { key: 'zone', title: t('Zone'), cell: ({ zone }) => zone, sortBy: ({ zone }) => zone, wide: true },
    {
      key: 'version',
      title: t('Version'),
      cell: ({ version }) => version || '–',
      sortBy: ({ version }) => version,
      wide: true,
    },
    {
      key: 'heartbeat',
      title: t('Heartbeat'),
      cell: ({ heartbeatAgeMs: ms }) => measured(ms === null ? null : t('{age} ago', { age: age(ms) })),
      sortBy: ({ heartbeatAgeMs }) => heartbeatAgeMs,
      numeric: true,
      wide: true,
    },
    {
      key: 'rate',
      title: t('Requests'),
      cell: ({ traffic }) => measured(traffic && t('{rate}/s', { rate: number(traffic.perSecond) })),
      sortBy: ({ traffic }) => traffic?.perSecond ?? null,
      numeric: true,
    },
    {
      key: 'errors',
      title: t('Errors'),
      cell: ({ traffic }) => measured(percent(traffic?.errorShare), (traffic?.errorShare ?? 0) >= 0.05),
      sortBy: ({ traffic }) => traffic?.errorShare ?? null,
      numeric: true,
    },
    {
      key: 'p95',
      title: 'p95',
      cell: ({ traffic }) => measured(duration(traffic?.p95Ms)),
      sortBy: ({ traffic }) => traffic?.p95Ms ?? null,
      numeric: true,
      wide: true,
    },
    {
      key: 'cpu',
      title: 'CPU',
      cell: ({ cpuCores }) => measured(cpuCores === null ? null : `${number(cpuCores * 100)} %`),
      sortBy: ({ cpuCores }) => cpuCores,
      numeric: true,
      wide: true,
    },
    {
      key: 'memory',
      title: t('Memory'),
      cell: ({ residentBytes }) => measured(megabytes(residentBytes)),
      sortBy: ({ residentBytes }) => residentBytes,
      numeric: true,
      wide: true,
    },
  ];
}

interface InstanceAnswer {
  readonly instance: {
    readonly weight: number;
    readonly state: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly tags: readonly string[];
    readonly region: string;
  };
  readonly hold: { readonly state: string; readonly weight: number; readonly by: string } | null;
}

function InstanceDetails({ row }: { readonly row: Row }): ReactNode {
  const t = useTexts();
  const path = `instances/${encodeURIComponent(row.service)}/${encodeURIComponent(row.id)}`;
  const { data } = useQuery({
    queryKey: ['instance', row.service, row.id],
    queryFn: () => ask<InstanceAnswer>(path),
    refetchInterval: 2000,
  });
  const facts: readonly (readonly [string, ReactNode])[] = [
    [t('Service'), row.service],
    [t('Address'), `${row.address} (${row.protocol})`],
    [t('State'), <State key="state" of={stateOf(row)} />],
    [t('Health'), <State key="health" of={row.health} />],
    [t('Zone'), row.zone],
    [t('Version'), row.version || '–'],
    [t('Weight'), data?.instance.weight ?? '–'],
    [t('In flight'), row.inFlight ?? '–'],
    ...Object.entries(data?.instance.metadata ?? {}),
  ];
  return (
    <Stack>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Title order={2}>{t('Operate')}</Title>
      {data?.hold && (
        <Text size="sm" data-hold={data.hold.state}>
          {t('{who} keeps it {state} with weight {weight}.', {
            who: data.hold.by,
            state: t(data.hold.state),
            weight: data.hold.weight,
          })}
        </Text>
      )}
      <Operate row={row} path={path} held={data?.hold !== null && data?.hold !== undefined} />
      <Group gap="md">
        <Link to={`/decisions?service=${encodeURIComponent(row.service)}`}>{t('Decisions')}</Link>
        <Link to={`/traces?service=${encodeURIComponent(row.service)}`}>{t('Traces')}</Link>
        <Link to={`/logs?service=${encodeURIComponent(row.service)}`}>{t('Logs')}</Link>
      </Group>
    </Stack>
  );
}

function Operate({
  row,
  path,
  held,
}: {
  readonly row: Row;
  readonly path: string;
  readonly held: boolean;
}): ReactNode {
  const t = useTexts();
  const may = useMay('operator');
  if (!may)
    return (
      <Text size="sm" c="dimmed">
        {t('Needs the role operator.')}
      </Text>
    );
  const hold = (state: string) => (why: string) =>
    ask(`${path}/hold`, 'PUT', { state, ...(why !== '' && { why }) });
  return (
    <Group gap="xs">
      <Confirm
        label={t('Drain')}
        asksWhy
        act={hold('draining')}
        question={t('{id} gets no new calls and finishes those it has. It stays so until it is let go.', {
          id: row.id,
        })}
      />
      <Confirm
        label={t('Maintenance')}
        asksWhy
        act={hold('maintenance')}
        question={t('{id} gets no calls until it is let go.', { id: row.id })}
      />
      {held && (
        <Confirm
          label={t('Let go')}
          act={() => ask(`${path}/hold`, 'DELETE')}
          question={t('{id} says again itself how it is.', { id: row.id })}
        />
      )}
    </Group>
  );
}
