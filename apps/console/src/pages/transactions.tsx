import { Drawer, Group, Select, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { State } from '../parts/state.tsx';
import { duration, moment } from '../texts/format.ts';
import { type Translate, useTexts } from '../texts/language.tsx';

interface Failure {
  readonly step: string;
  readonly reason: string;
  readonly message: string;
}

interface SagaRow {
  readonly database: string;
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly status: string;
  readonly begunMs: number;
  readonly changedMs: number;
  readonly failure: Failure | null;
  readonly retrying: string | null;
  readonly traceId: string | null;
}

interface SagaList {
  readonly databases: readonly string[];
  readonly silent: readonly { readonly name: string; readonly why: string }[];
  readonly sagas: readonly SagaRow[];
}

type Search = Readonly<Partial<Record<'status' | 'database' | 'id', string>>>;
const statuses = ['running', 'compensating', 'parked', 'completed', 'compensated'];

/** Sagas of all services, and what two-phase commits have left in doubt. */
export function TransactionsPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const go = (change: Search): void => {
    const next = Object.fromEntries(
      Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined),
    );
    void navigate({ to: '/transactions', search: next, replace: true });
  };
  const { data, error } = useQuery({
    queryKey: ['sagas', search.status],
    queryFn: () =>
      ask<SagaList>(`sagas?limit=500${search.status === undefined ? '' : `&status=${search.status}`}`),
    refetchInterval: 5000,
    placeholderData: (before) => before,
  });
  return (
    <Page
      title={t('Transactions')}
      note={t('Sagas of all services; those that are parked wait for a person.')}
    >
      <Select
        label={t('State')}
        size="xs"
        w={170}
        clearable
        placeholder={t('all')}
        data={statuses.map((value) => ({ value, label: t(value) }))}
        value={search.status ?? null}
        onChange={(status) => go({ status: status ?? undefined })}
      />
      <Problem error={error} />
      {data?.silent.map(({ name, why }) => (
        <Text key={name} size="sm" className="bad">{`${name}: ${why}`}</Text>
      ))}
      {data === undefined ? (
        !error && <Loading />
      ) : (
        <SagaTable data={data} status={search.status} go={go} id={search.id} />
      )}
      <InDoubt />
      <Drawer
        opened={search.id !== undefined && search.database !== undefined}
        onClose={() => go({ id: undefined, database: undefined })}
        position="right"
        size="lg"
        title={search.id}
        closeButtonProps={{ 'aria-label': t('Close') }}
      >
        {search.id !== undefined && search.database !== undefined && (
          <SagaDetails database={search.database} id={search.id} />
        )}
      </Drawer>
    </Page>
  );
}

function SagaTable({
  data,
  status,
  go,
  id,
}: {
  readonly data: SagaList;
  readonly status: string | undefined;
  readonly go: (change: Search) => void;
  readonly id: string | undefined;
}): ReactNode {
  const t = useTexts();
  if (data.databases.length === 0)
    return (
      <Empty title={t('The control plane looks into no database.')}>
        {t('HEDDLE_SERVICE_DATABASES names them.')}
      </Empty>
    );
  if (data.sagas.length === 0)
    return (
      <Empty
        title={
          status === undefined ? t('There are no sagas.') : t('No saga is {state}.', { state: t(status) })
        }
      >
        {t('Looked into: {names}', { names: data.databases.join(', ') })}
      </Empty>
    );
  return (
    <DataTable
      label={t('Sagas')}
      rows={data.sagas}
      keyOf={(saga) => saga.id}
      opened={id}
      onOpen={(saga) => go({ id: saga.id, database: saga.database })}
      columns={sagaColumns(t)}
    />
  );
}

interface SagaAnswer {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly begunAt: string;
  readonly input: unknown;
  readonly state: {
    readonly failure?: Failure;
    readonly steps: Readonly<
      Record<
        string,
        {
          readonly phase: string;
          readonly attempts: number;
          readonly undoAttempts: number;
          readonly failure?: Failure;
        }
      >
    >;
    readonly trace?: { readonly traceId?: string };
  };
  readonly audit: readonly {
    readonly number: number;
    readonly by: string;
    readonly at: string;
    readonly input: { readonly kind: string };
    readonly taken: boolean;
  }[];
}

function SagaDetails({ database, id }: { readonly database: string; readonly id: string }): ReactNode {
  const t = useTexts();
  const path = `sagas/${encodeURIComponent(database)}/${encodeURIComponent(id)}`;
  const { data, error } = useQuery({
    queryKey: ['saga', path],
    queryFn: () => ask<SagaAnswer>(path),
    refetchInterval: 2000,
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  const { failure, steps, trace } = data.state;
  return (
    <Stack>
      <Group gap="xs">
        <Text fw={600}>{data.name}</Text>
        <State of={data.status} />
        <Text size="sm" c="dimmed">
          {moment(Date.parse(data.begunAt))}
        </Text>
      </Group>
      {failure && (
        <Text size="sm" className="bad">{`${failure.step}: ${failure.reason}: ${failure.message}`}</Text>
      )}
      {trace?.traceId && (
        <Link to="/traces/$id" params={{ id: trace.traceId }}>
          {t('Trace {id}', { id: trace.traceId })}
        </Link>
      )}
      <DataTable
        label={t('Steps')}
        rows={Object.entries(steps)}
        keyOf={([name]) => name}
        columns={[
          { key: 'step', title: t('Step'), cell: ([name]) => <strong>{name}</strong> },
          { key: 'phase', title: t('Phase'), cell: ([, step]) => t(step.phase) },
          { key: 'attempts', title: t('Attempts'), cell: ([, step]) => step.attempts, numeric: true },
          { key: 'undos', title: t('Undone in'), cell: ([, step]) => step.undoAttempts, numeric: true },
          {
            key: 'failure',
            title: t('Failure'),
            cell: ([, step]) => (step.failure ? `${step.failure.reason}: ${step.failure.message}` : ''),
          },
        ]}
      />
      <Help saga={data} path={path} />
      {data.audit.length > 0 && <Title order={2}>{t('What was said to it')}</Title>}
      {data.audit.map((entry) => (
        <Text
          key={entry.number}
          size="sm"
        >{`${moment(Date.parse(entry.at))} ${entry.by}: ${entry.input.kind} (${entry.taken ? t('taken in') : t('not yet')})`}</Text>
      ))}
    </Stack>
  );
}

function Help({ saga, path }: { readonly saga: SagaAnswer; readonly path: string }): ReactNode {
  const t = useTexts();
  const may = useMay('operator');
  if (!may)
    return (
      <Text size="sm" c="dimmed">
        {t('Needs the role operator.')}
      </Text>
    );
  const parked = saga.status === 'parked';
  const step = saga.state.failure?.step;
  const say = (word: string) => (why: string) =>
    ask(path, 'POST', { say: word, why, ...(word === 'skip' && { step }) });
  const done = saga.status === 'compensated';
  return (
    <Group gap="xs">
      {parked && (
        <Confirm
          label={t('Retry')}
          asksWhy
          act={say('retry')}
          question={t('What it is parked at is tried again.')}
        />
      )}
      {parked && step !== undefined && (
        <Confirm
          label={t('Skip {step}', { step })}
          asksWhy
          act={say('skip')}
          question={t('{step} is taken as done, or as undone: you have seen to it.', { step })}
        />
      )}
      {!done && (
        <Confirm
          label={t('Compensate')}
          color="red"
          asksWhy
          act={say('compensate')}
          question={t('What it has done is undone, from the end.')}
        />
      )}
    </Group>
  );
}

interface InDoubtAnswer {
  readonly databases: readonly {
    readonly name: string;
    readonly decisions: readonly { readonly tx: string; readonly decidedAt: string }[];
    readonly prepared: readonly { readonly tx: string; readonly branch: string; readonly ageMs: number }[];
  }[];
}

function InDoubt(): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({
    queryKey: ['in-doubt'],
    queryFn: () => ask<InDoubtAnswer>('in-doubt'),
    refetchInterval: 5000,
  });
  const rows = (data?.databases ?? []).flatMap(({ name, decisions, prepared }) => [
    ...decisions.map(({ tx }) => ({ name, tx, what: t('decided to commit, not confirmed'), ageMs: null })),
    ...prepared.map(({ tx, branch, ageMs }) => ({ name, tx: `${tx} ${branch}`, what: t('prepared'), ageMs })),
  ]);
  return (
    <section aria-labelledby="doubt">
      <Title order={2} id="doubt" mb="xs">
        {t('In doubt (two-phase commit)')}
      </Title>
      <Problem error={error} />
      {rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('Nothing is in doubt.')}
        </Text>
      ) : (
        <DataTable
          label={t('In doubt (two-phase commit)')}
          rows={rows}
          keyOf={({ name, tx }) => `${name} ${tx}`}
          columns={[
            { key: 'tx', title: t('Transaction'), cell: ({ tx }) => <span className="id">{tx}</span> },
            { key: 'what', title: t('State'), cell: ({ what }) => what },
            {
              key: 'age',
              title: t('Age'),
              cell: ({ ageMs }) => (ageMs === null ? '–' : duration(ageMs)),
              numeric: true,
            },
            { key: 'database', title: t('Database'), cell: ({ name }) => name },
          ]}
        />
      )}
    </section>
  );
}

function sagaColumns(t: Translate): readonly Column<SagaRow>[] {
  return [
    {
      key: 'name',
      title: t('Saga'),
      cell: ({ name, version }) => (
        <>
          <strong>{name}</strong> v{version}
        </>
      ),
      sortBy: ({ name }) => name,
    },
    {
      key: 'state',
      title: t('State'),
      cell: ({ status: state, retrying }) => (
        <>
          <State of={state} />
          {retrying && ` ${t('retries {step}', { step: retrying })}`}
        </>
      ),
      sortBy: ({ status: state }) => state,
    },
    {
      key: 'failure',
      title: t('Failure'),
      cell: ({ failure }) =>
        failure ? <span className="bad">{`${failure.step}: ${failure.reason}`}</span> : '',
      sortBy: ({ failure }) => failure?.reason ?? '',
    },
    {
      key: 'begun',
      title: t('Begun'),
      cell: ({ begunMs }) => moment(begunMs),
      sortBy: ({ begunMs }) => begunMs,
      wide: true,
    },
    {
      key: 'took',
      title: t('Took'),
      cell: ({ begunMs, changedMs }) => duration(changedMs - begunMs),
      sortBy: ({ begunMs, changedMs }) => changedMs - begunMs,
      numeric: true,
      wide: true,
    },
    {
      key: 'database',
      title: t('Database'),
      cell: ({ database }) => database,
      sortBy: ({ database }) => database,
      wide: true,
    },
  ];
}
