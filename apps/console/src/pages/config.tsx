import { Button, Group, Select, Stack, Tabs, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { DataTable } from '../parts/data-table.tsx';
import { Differences } from '../parts/differences.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { moment } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';
import { Layers } from './config-layers.tsx';
import { ConfigChange } from './config-change.tsx';
import type { Version } from './config-version.ts';

interface Difference {
  readonly key: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

interface PlaceAnswer {
  readonly head: Version | null;
  readonly origins: Readonly<
    Record<string, { readonly version: number; readonly author: string; readonly atMs: number }>
  >;
  readonly instanceGetsGray: boolean | null;
}

type Search = Readonly<Partial<Record<'place', string>>>;

/** The config centre. */
export function ConfigPage(): ReactNode {
  const t = useTexts();
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { data, error } = useQuery({
    queryKey: ['places'],
    queryFn: () => ask<{ places: string[] }>('config'),
  });
  const place = search.place ?? data?.places[0];
  const go = (next: string): void => void navigate({ to: '/config', search: { place: next } });
  return (
    <Page
      title={t('Configuration')}
      note={t('Each change is a version, with who, when and why; services get it at once.')}
      side={<NewPlace onMade={go} />}
    >
      <Problem error={error} />
      {data !== undefined && place !== undefined && (
        <Select
          label={t('Place (environment/namespace/group)')}
          size="sm"
          maw={360}
          searchable
          allowDeselect={false}
          data={data.places.includes(place) ? data.places : [...data.places, place]}
          value={place}
          onChange={(next) => next !== null && go(next)}
        />
      )}
      {place !== undefined ? (
        <OnePlace place={place} key={place} />
      ) : (
        data !== undefined && (
          <Empty title={t('Nothing is configured yet.')}>
            {t('Name a place such as prod/shop/order above, and publish its first values.')}
          </Empty>
        )
      )}
    </Page>
  );
}

function NewPlace({ onMade }: { readonly onMade: (place: string) => void }): ReactNode {
  const t = useTexts();
  const [place, setPlace] = useState('');
  if (!useMay('operator')) return null;
  return (
    <Group
      gap="xs"
      component="form"
      onSubmit={(event: React.FormEvent) => {
        event.preventDefault();
        onMade(place.trim());
      }}
    >
      <TextInput
        size="sm"
        w={200}
        placeholder="prod/shop/order"
        aria-label={t('A new place')}
        value={place}
        onChange={(event) => setPlace(event.currentTarget.value)}
        pattern="[a-z0-9-]+/[a-z0-9-]+/[a-z0-9-]+"
      />
      <Button size="sm" type="submit" variant="default" disabled={!/^[^/]+\/[^/]+\/[^/]+$/.test(place)}>
        {t('New place')}
      </Button>
    </Group>
  );
}

function OnePlace({ place }: { readonly place: string }): ReactNode {
  const t = useTexts();
  const [instance, setInstance] = useState('');
  const { data, error } = useQuery({
    queryKey: ['place', place, instance],
    queryFn: () =>
      ask<PlaceAnswer>(
        `config/${place}${instance === '' ? '' : `?instance=${encodeURIComponent(instance)}`}`,
      ),
    refetchInterval: 5000,
    placeholderData: (before) => before,
  });
  const may = useMay('operator');
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  return (
    <Tabs defaultValue={data.head === null && may ? 'change' : 'values'} keepMounted={false}>
      <Tabs.List mb="sm">
        <Tabs.Tab value="values">{t('Values')}</Tabs.Tab>
        <Tabs.Tab value="history">{t('History')}</Tabs.Tab>
        <Tabs.Tab value="layers">{t('Layers')}</Tabs.Tab>
        {may && <Tabs.Tab value="change">{t('Change')}</Tabs.Tab>}
      </Tabs.List>
      <Tabs.Panel value="values">
        <Values data={data} instance={instance} setInstance={setInstance} place={place} />
      </Tabs.Panel>
      <Tabs.Panel value="history">
        <History place={place} head={data.head} />
      </Tabs.Panel>
      <Tabs.Panel value="layers">
        <Layers service={place.split('/')[2] ?? ''} />
      </Tabs.Panel>
      <Tabs.Panel value="change">
        <ConfigChange place={place} head={data.head} />
      </Tabs.Panel>
    </Tabs>
  );
}

interface ValuesProps {
  readonly data: PlaceAnswer;
  readonly place: string;
  readonly instance: string;
  readonly setInstance: (instance: string) => void;
}

function Values({
  data: { head, origins, instanceGetsGray },
  place,
  instance,
  setInstance,
}: ValuesProps): ReactNode {
  const t = useTexts();
  if (head === null) return <Empty title={t('This place has no values yet.')} />;
  const gray = head.gray;
  const values = instanceGetsGray === true && gray !== undefined ? gray.values : head.values;
  return (
    <Stack>
      {gray !== undefined && <GrayNote place={place} head={head} gray={gray} />}
      <TextInput
        size="xs"
        maw={320}
        label={t('What does this instance get?')}
        placeholder="order-1b2a77f0"
        value={instance}
        onChange={(event) => setInstance(event.currentTarget.value)}
      />
      {instanceGetsGray !== null && (
        <Text size="sm" role="status">
          {instanceGetsGray
            ? t('{instance} gets the gray values.', { instance })
            : t('{instance} gets what everybody gets.', { instance })}
        </Text>
      )}
      <DataTable
        label={t('Values')}
        rows={Object.entries(values)}
        keyOf={([key]) => key}
        columns={[
          { key: 'key', title: t('Key'), cell: ([key]) => <strong>{key}</strong>, sortBy: ([key]) => key },
          {
            key: 'value',
            title: t('Value'),
            cell: ([, value]) => <span className="id">{shownValue(value)}</span>,
          },
          {
            key: 'origin',
            title: t('Comes from'),
            cell: ([key, value]) =>
              originText(
                t,
                origins[key],
                gray !== undefined && JSON.stringify(head.values[key]) !== JSON.stringify(value),
              ),
            wide: true,
          },
        ]}
      />
    </Stack>
  );
}

function grayKeys({ values, gray }: Version): readonly string[] {
  return Object.keys({ ...values, ...gray?.values }).filter(
    (key) => JSON.stringify(values[key]) !== JSON.stringify(gray?.values[key]),
  );
}

function originText(
  t: ReturnType<typeof useTexts>,
  origin: PlaceAnswer['origins'][string] | undefined,
  isGray: boolean,
): string {
  if (isGray) return t('the gray release');
  return origin === undefined
    ? '–'
    : t('version {version} by {author}, {time}', {
        version: origin.version,
        author: origin.author,
        time: moment(origin.atMs),
      });
}

/** Secrets are sealed; that there is one is all that is shown. */
function shownValue(value: unknown): string {
  const isSecret = typeof value === 'object' && value !== null && '$secret' in value;
  return isSecret ? '•••' : typeof value === 'string' ? value : JSON.stringify(value);
}

function History({ place, head }: { readonly place: string; readonly head: Version | null }): ReactNode {
  const t = useTexts();
  const may = useMay('operator');
  const { data, error } = useQuery({
    queryKey: ['place-history', place, head?.version],
    queryFn: () =>
      ask<{ versions: (Version & { changes: Difference[]; grayChanges: Difference[] })[] }>(
        `config/${place}/versions`,
      ),
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  return (
    <Stack>
      {data.versions.map((version) => (
        <section
          key={version.version}
          className="decision"
          data-version={version.version}
          aria-label={t('Version {version}', { version: version.version })}
        >
          <Group justify="space-between" mb={4}>
            <Text size="sm">
              <strong>{t('Version {version}', { version: version.version })}</strong> · {t(version.action)} ·{' '}
              {version.author} · {moment(version.atMs)}
              {version.comment && ` · ${version.comment}`}
            </Text>
            {may && version.version !== head?.version && (
              <Confirm
                label={t('Roll back')}
                asksWhy
                act={(why) =>
                  ask(`config/${place}`, 'POST', {
                    action: 'rollback',
                    to: version.version,
                    comment: why,
                    expected: head?.version ?? 0,
                  })
                }
                question={t('The values of version {version} become a new version.', {
                  version: version.version,
                })}
              />
            )}
          </Group>
          {(version.changes.length > 0 || version.grayChanges.length === 0) && (
            <Differences of={version.changes.map(({ key, before, after }) => ({ at: key, before, after }))} />
          )}
          {version.grayChanges.length > 0 && (
            <>
              <Text size="xs" c="dimmed">
                {t('for the audience of the gray release')}
              </Text>
              <Differences
                of={version.grayChanges.map(({ key, before, after }) => ({ at: key, before, after }))}
              />
            </>
          )}
        </section>
      ))}
    </Stack>
  );
}

function GrayNote({
  place,
  head,
  gray,
}: {
  readonly place: string;
  readonly head: Version;
  readonly gray: NonNullable<Version['gray']>;
}): ReactNode {
  const t = useTexts();
  const may = useMay('operator');
  const settle = (action: string) => (why: string) =>
    ask(`config/${place}`, 'POST', { action, comment: why, expected: head.version });
  const audience = [
    ...(gray.audience.instances ?? []),
    ...(gray.audience.percent === undefined ? [] : [`${gray.audience.percent} %`]),
  ].join(', ');
  return (
    <Group className="gray" gap="sm" data-gray>
      <Text size="sm">
        <strong>{t('A gray release runs')}</strong>{' '}
        {t('for {audience}: {count} values differ.', { audience, count: grayKeys(head).length })}
      </Text>
      {may && (
        <Confirm
          label={t('Promote')}
          asksWhy
          act={settle('promote')}
          question={t('Everybody gets the gray values.')}
        />
      )}
      {may && (
        <Confirm
          label={t('Abandon')}
          asksWhy
          act={settle('abandon')}
          question={t('Nobody gets the gray values any more.')}
        />
      )}
    </Group>
  );
}
