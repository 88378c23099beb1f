import { Alert, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Fragment, type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useLive } from '../data/live.ts';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { State } from '../parts/state.tsx';
import { duration, moment, number } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface Attempt {
  readonly number: number;
  readonly instance?: string;
  readonly address?: string;
  readonly atMs: number;
  readonly tookMs?: number;
  readonly outcome?: { readonly code: string; readonly reason?: string; readonly message?: string };
  readonly next?: string;
}

interface Candidate {
  readonly id: string;
  readonly address: string;
  readonly zone: string;
  readonly weight: number;
  readonly health: string;
  readonly inFlight: number;
  readonly latencyMs?: number;
  readonly exclusion?: string;
}

interface DecisionRecord {
  readonly traceId?: string;
  readonly correlationId?: string;
  readonly process: string;
  readonly side: string;
  readonly operation: string;
  readonly target: string;
  readonly at: string;
  readonly tookMs: number;
  readonly outcome: { readonly code: string; readonly reason?: string; readonly answer?: string };
  readonly cause?: { readonly reason: string; readonly text: string };
  readonly deadlineLeftMs?: number;
  readonly route?: { readonly name: string; readonly rule: string };
  readonly snapshot?: {
    readonly revision: number;
    readonly ageMs: number;
    readonly source: string;
    readonly stale: boolean;
    readonly panic: boolean;
    readonly leftOut: Readonly<Record<string, number>>;
  };
  readonly policy?: string;
  readonly candidates: readonly Candidate[];
  readonly candidateCount: number;
  readonly attempts: readonly Attempt[];
  readonly layers: Readonly<Record<string, string>>;
}

interface Answer {
  readonly records: readonly DecisionRecord[];
  readonly asked: number;
  readonly silent: readonly { readonly id: string; readonly why: string }[];
}

type Search = Readonly<Partial<Record<'id' | 'service' | 'failed', string>>>;

/** Why calls went where they went, and what became of them. */
export function DecisionsPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const paused = useLive().state === 'paused';
  const { data, error } = useQuery({
    queryKey: ['decisions', search],
    queryFn: () => ask<Answer>(`decisions?${new URLSearchParams(search as Record<string, string>)}`),
    refetchInterval: paused || search.id !== undefined ? false : 5000,
    placeholderData: (before) => before,
  });
  const note =
    data &&
    t(
      '{count} records of {asked} processes; kept are failures, calls that were tried again, and one in a hundred others',
      { count: data.records.length, asked: data.asked },
    );
  return (
    <Page title={t('Decisions')} note={note}>
      <DecisionFilters search={search} />
      <Problem error={error} />
      {data?.silent.map(({ id, why }) => (
        <Alert key={id} color="yellow" variant="light">{`${id}: ${why}`}</Alert>
      ))}
      {data === undefined ? (
        !error && <Loading />
      ) : data.records.length === 0 ? (
        <NoRecords asked={data.asked} id={search.id} />
      ) : (
        <Groups records={data.records} />
      )}
    </Page>
  );
}

function NoRecords({ asked, id }: { readonly asked: number; readonly id: string | undefined }): ReactNode {
  const t = useTexts();
  if (asked === 0)
    return (
      <Empty title={t('There is nobody to ask.')}>
        {t('Processes are asked at the address that they register as "admin".')}
      </Empty>
    );
  return (
    <Empty
      title={
        id === undefined
          ? t('No process remembers such a call.')
          : t('No process has a record of {id}.', { id })
      }
    >
      {t('Records live in memory until newer ones take their place.')}
    </Empty>
  );
}

function DecisionFilters({ search }: { readonly search: Search }): ReactNode {
  const t = useTexts();
  const navigate = useNavigate();
  const { overview } = useLive();
  const [id, setId] = useState(search.id ?? '');
  const go = (change: Search): void => {
    const next = Object.fromEntries(
      Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined && value !== ''),
    );
    void navigate({ to: '/decisions', search: next, replace: true });
  };
  return (
    <Group gap="sm" align="flex-end">
      <TextInput
        data-filter
        label={t('Trace or correlation id')}
        size="xs"
        w={280}
        value={id}
        onChange={(event) => setId(event.currentTarget.value)}
        onBlur={() => go({ id: id.trim() })}
        onKeyDown={(event) => event.key === 'Enter' && go({ id: id.trim() })}
      />
      <Select
        label={t('Service')}
        size="xs"
        w={160}
        searchable
        clearable
        data={overview?.services.map(({ name }) => name) ?? []}
        value={search.service ?? null}
        onChange={(service) => go({ service: service ?? undefined })}
      />
      <Select
        label={t('Which')}
        size="xs"
        w={160}
        allowDeselect={false}
        data={[
          { value: 'true', label: t('only failures') },
          { value: 'false', label: t('all that is kept') },
        ]}
        value={search.failed ?? 'true'}
        onChange={(failed) => go({ failed: failed ?? 'true' })}
      />
    </Group>
  );
}

/** Records of one cause stand together: forty failures of one kind are one thing to know. */
function Groups({ records }: { readonly records: readonly DecisionRecord[] }): ReactNode {
  const groups = new Map<string, DecisionRecord[]>();
  for (const record of records) {
    const key = `${record.target || record.process} ${record.operation} ${record.cause?.reason ?? record.outcome.code}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [record]);
    else known.push(record);
  }
  const sorted = [...groups].toSorted(([, a], [, b]) => b.length - a.length);
  return (
    <Stack gap="sm">
      {sorted.map(([key, all]) => (
        <RecordGroup key={key} records={all} />
      ))}
    </Stack>
  );
}

/** A long name breaks between its parts. */
function Breakable({ text }: { readonly text: string }): ReactNode {
  return text.split(/(?<=[./])/).map((part, at) => (
    // Parts may be alike, and never change places.
    <Fragment key={`${at} ${part}`}>
      {at > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

function RecordGroup({ records }: { readonly records: readonly DecisionRecord[] }): ReactNode {
  const t = useTexts();
  const [most, setMost] = useState(1);
  const first = records[0] as DecisionRecord;
  return (
    <section
      className="decision"
      data-decision={first.cause?.reason ?? first.outcome.code}
      aria-label={first.operation}
    >
      <Group justify="space-between" gap="xs">
        <Text fw={600}>
          <Breakable text={first.operation} />{' '}
          <Text span c="dimmed" size="sm">
            {first.target}
          </Text>
        </Text>
        <Group gap="xs">
          <State of={first.outcome.code === 'ok' ? 'ok' : 'failed'} />
          <Text size="sm" fw={600}>
            {first.cause?.reason ?? ''}
          </Text>
          <Text size="sm" c="dimmed">
            {t('{count} times', { count: records.length })}
          </Text>
        </Group>
      </Group>
      {first.cause && (
        <Text size="sm" my={4} data-cause>
          {first.cause.text}
        </Text>
      )}
      {records.slice(0, most).map((record, at) => (
        <RecordDetails key={`${record.at} ${record.process} ${at}`} record={record} />
      ))}
      {records.length > most && (
        <button type="button" className="more" onClick={() => setMost(most + 10)}>
          {t('{count} more', { count: records.length - most })}
        </button>
      )}
    </section>
  );
}

function RecordDetails({ record }: { readonly record: DecisionRecord }): ReactNode {
  const t = useTexts();
  const { snapshot } = record;
  const words = [
    `${moment(Date.parse(record.at))} ${record.process} (${record.side})`,
    t('took {time}', { time: duration(record.tookMs) ?? '' }),
    record.deadlineLeftMs === undefined
      ? t('no deadline')
      : t('{time} left of the deadline', { time: duration(Math.max(0, record.deadlineLeftMs)) ?? '' }),
    ...(record.route ? [t('route {name} by {rule}', { ...record.route })] : []),
    ...(snapshot
      ? [
          t('registry revision {revision} ({source}), {age} old', {
            revision: snapshot.revision,
            source: snapshot.source,
            age: duration(snapshot.ageMs) ?? '',
          }),
        ]
      : []),
    ...(snapshot?.stale ? [t('stale')] : []),
    ...Object.entries(snapshot?.leftOut ?? {}).map(([why, count]) => `${count} ${why}`),
    ...(record.policy
      ? [t('{policy} over {count} candidates', { policy: record.policy, count: record.candidateCount })]
      : []),
    ...Object.entries(record.layers).map(([name, text]) => `${name}: ${text}`),
  ];
  return (
    <div className="record">
      <Text size="xs" c="dimmed">
        {words.join(' · ')}
      </Text>
      {record.traceId && (
        <Text size="xs">
          <Link to="/traces/$id" params={{ id: record.traceId }}>
            {t('Trace {id}', { id: record.traceId })}
          </Link>
        </Text>
      )}
      <Attempts attempts={record.attempts} />
      <Candidates candidates={record.candidates} attempts={record.attempts} />
    </div>
  );
}

function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }): ReactNode {
  const t = useTexts();
  return (
    <ol className="attempts">
      {attempts.map((attempt) => (
        <li key={attempt.number} data-ok={attempt.outcome?.code === 'ok'}>
          <span className="id">{attempt.instance ?? t('no instance')}</span> {attempt.address}
          {` · ${t('after {time}', { time: duration(attempt.atMs) ?? '' })}`}
          {attempt.tookMs !== undefined && ` · ${t('took {time}', { time: duration(attempt.tookMs) ?? '' })}`}{' '}
          · <strong>{attempt.outcome?.code ?? t('had not ended')}</strong> {attempt.outcome?.reason ?? ''}
          {attempt.next && ` → ${attempt.next}`}
        </li>
      ))}
    </ol>
  );
}

function Candidates({
  candidates,
  attempts,
}: {
  readonly candidates: readonly Candidate[];
  readonly attempts: readonly Attempt[];
}): ReactNode {
  const t = useTexts();
  if (candidates.length === 0) return null;
  const tried = new Set(attempts.map(({ instance }) => instance));
  return (
    <details>
      <summary>{t('{count} candidates as the balancer saw them', { count: candidates.length })}</summary>
      <ul className="candidates">
        {candidates.map((one) => (
          <li key={one.id}>
            {tried.has(one.id) ? '★ ' : ''}
            <span className="id">{one.id}</span> {one.address} ·{' '}
            {t('zone {zone}, weight {weight}, {health}, {count} in flight', {
              zone: one.zone,
              weight: one.weight,
              health: t(one.health),
              count: one.inFlight,
            })}
            {one.latencyMs !== undefined && ` · ${number(one.latencyMs)} ms`}
            {one.exclusion && ` · ${one.exclusion}`}
          </li>
        ))}
      </ul>
    </details>
  );
}
