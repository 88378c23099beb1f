import { Alert, Button, Stack, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { DataTable } from '../parts/data-table.tsx';
import { FindingList, type MeshFinding } from '../parts/findings.tsx';
import { LineDifferences } from '../parts/line-differences.tsx';
import { Loading } from '../parts/loading.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { moment } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';
import { MeshEditor, type MeshFile } from './mesh-editor.tsx';

interface Version {
  readonly id: number;
  readonly atMs: number;
  readonly who: string;
  readonly why: string;
  readonly files: number;
  readonly digest: string;
}

interface Proxy {
  readonly node: string;
  readonly protocol: string;
  readonly types?: readonly {
    readonly type: string;
    readonly acknowledged: string;
    readonly pending?: string;
  }[];
  readonly refusal?: string;
}

interface Answer {
  readonly served: boolean;
  readonly place: string | null;
  readonly kind: 'files' | 'git' | 'kubernetes' | 'store' | null;
  readonly writable: boolean;
  readonly source?: {
    readonly inForce?: string;
    readonly revision?: string;
    readonly drift: readonly string[];
    readonly problem?: string;
  };
  readonly files: readonly MeshFile[];
  readonly digest: string;
  readonly versions: readonly Version[];
  readonly proxies?: readonly Proxy[];
  readonly inexpressible?: readonly unknown[];
  readonly rules?: {
    readonly version: number;
    readonly takenAtMs?: number;
    readonly objects?: number;
    readonly findings?: readonly MeshFinding[];
    readonly refused?: { readonly atMs: number; readonly findings: readonly MeshFinding[] };
  };
}

/** The rules of the mesh: what is in force, who has taken it, changing it, and what it was before. */
export function MeshPage(): ReactNode {
  const t = useTexts();
  const search: { tab?: string } = useSearch({ strict: false });
  const navigate = useNavigate();
  const may = useMay('operator');
  const { data, error } = useQuery({
    queryKey: ['mesh'],
    queryFn: () => ask<Answer>('mesh'),
    refetchInterval: 5000,
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  const { rules } = data;
  return (
    <Page
      title={t('Traffic rules')}
      note={
        rules === undefined
          ? undefined
          : t('Set {version} with {objects} objects is in force', {
              version: rules.version,
              objects: rules.objects ?? 0,
            })
      }
    >
      {!data.served ? (
        <Empty title={t('This control plane serves no mesh.')}>
          {t(
            'Start it with --mesh PLACE: a folder, a git repository, a cluster or a store with resources of Istio or the Gateway API, which is watched.',
          )}
        </Empty>
      ) : (
        <Tabs
          value={search.tab ?? 'rules'}
          onChange={(tab) => void navigate({ to: '/mesh', search: { tab: tab ?? 'rules' } })}
          keepMounted={false}
        >
          <Tabs.List mb="sm">
            <Tabs.Tab value="rules">{t('In force')}</Tabs.Tab>
            {may && data.place !== null && (
              <Tabs.Tab value="change">{data.writable ? t('Change') : t('Try a change')}</Tabs.Tab>
            )}
            {data.place !== null && <Tabs.Tab value="versions">{t('Versions')}</Tabs.Tab>}
            <Tabs.Tab value="proxies">{t('Proxies')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="rules">
            <InForce data={data} />
          </Tabs.Panel>
          <Tabs.Panel value="change">
            <MeshEditor files={data.files} digest={data.digest} writable={data.writable} />
          </Tabs.Panel>
          <Tabs.Panel value="versions">
            <Versions data={data} />
          </Tabs.Panel>
          <Tabs.Panel value="proxies">
            <Proxies proxies={data.proxies ?? []} version={String(rules?.version ?? 0)} />
          </Tabs.Panel>
        </Tabs>
      )}
    </Page>
  );
}

/** Where the rules come from, and how they are changed. */
function Origin({ data: { place, kind, writable, source } }: { readonly data: Answer }): ReactNode {
  const t = useTexts();
  if (kind === null || place === null) return null;
  const ways = {
    files: t('They are files of {place}: change them here or there.', { place }),
    store: t('They are in the store {place}, for all its control planes: change them here.', { place }),
    git: t(
      'They come from the repository {place}: change them by a commit to it. A change can be tried here first.',
      {
        place,
      },
    ),
    kubernetes: t(
      'They are objects of the cluster {place}: change them by kubectl apply or what else keeps them. A change can be tried here first.',
      { place },
    ),
  };
  return (
    <Stack gap={4} data-origin={kind} data-writable={writable}>
      <Text size="sm">
        {ways[kind]}
        {source?.inForce !== undefined &&
          ` ${t('Revision {revision} is in force.', { revision: source.inForce.slice(0, 12) })}`}
      </Text>
      {source?.problem !== undefined && (
        <Alert
          color="red"
          variant="light"
          title={t('They cannot be read now; those of before stay in force.')}
        >
          {source.problem}
        </Alert>
      )}
      {(source?.drift.length ?? 0) > 0 && (
        <Alert color="yellow" variant="light" title={t('Not committed, and not in force:')}>
          {source?.drift.join(', ')}
        </Alert>
      )}
    </Stack>
  );
}

function InForce({ data }: { readonly data: Answer }): ReactNode {
  const t = useTexts();
  const { rules, files, inexpressible = [] } = data;
  const refused = rules?.refused;
  return (
    <Stack>
      <Origin data={data} />
      {refused !== undefined && (
        <Alert
          color="red"
          variant="light"
          title={t('The newest files are refused; those of before stay in force.')}
          data-refused
        >
          <FindingList of={refused.findings.filter(({ severity }) => severity === 'error')} />
        </Alert>
      )}
      {inexpressible.length > 0 && (
        <Text size="sm" c="dimmed">
          {t('{count} rules cannot be expressed for the proxies that are connected.', {
            count: inexpressible.length,
          })}
        </Text>
      )}
      <FindingList of={rules?.findings ?? []} />
      {files.length === 0 ? (
        <Empty title={t('There are no rules yet.')} />
      ) : (
        files.map(({ file, text }) => (
          <section key={file} aria-label={file}>
            <Text size="sm" fw={600} className="id">
              {file}
            </Text>
            <pre className="source" tabIndex={0}>
              {text}
            </pre>
          </section>
        ))
      )}
    </Stack>
  );
}

function Versions({ data: { versions, files, digest, writable } }: { readonly data: Answer }): ReactNode {
  const t = useTexts();
  const may = useMay('operator') && writable;
  const [shown, setShown] = useState<number>();
  if (versions.length === 0)
    return (
      <Empty title={t('No version was kept yet.')}>
        {t('The first change here keeps what was there before it.')}
      </Empty>
    );
  const isNow = (version: Version): boolean => version.digest === digest;
  return (
    <Stack>
      <DataTable
        label={t('Versions')}
        rows={versions.toReversed()}
        keyOf={({ id }) => String(id)}
        columns={[
          {
            key: 'id',
            title: t('Version'),
            cell: (one) => <strong>{isNow(one) ? t('{id} (served)', { id: one.id }) : one.id}</strong>,
          },
          { key: 'at', title: t('Time'), cell: ({ atMs }) => moment(atMs) },
          { key: 'who', title: t('By'), cell: ({ who }) => who || t('changed outside of the console') },
          { key: 'why', title: t('Reason'), cell: ({ why }) => why || '–' },
          {
            key: 'diff',
            title: t('Compare'),
            cell: (one) =>
              isNow(one) ? (
                ''
              ) : (
                <Button size="compact-sm" variant="default" onClick={() => setShown(one.id)}>
                  {t('Compare with served')}
                </Button>
              ),
          },
          {
            key: 'back',
            title: t('Go back'),
            cell: (one) =>
              may && !isNow(one) ? (
                <Confirm
                  label={t('Roll back')}
                  asksWhy
                  act={(why) => ask('mesh/rollback', 'POST', { to: one.id, why })}
                  question={t('Version {id} is served again, as a new version.', { id: one.id })}
                />
              ) : (
                ''
              ),
          },
        ]}
      />
      {shown !== undefined && <VersionDiff id={shown} files={files} />}
    </Stack>
  );
}

function VersionDiff({ id, files }: { readonly id: number; readonly files: readonly MeshFile[] }): ReactNode {
  const t = useTexts();
  const { data, error } = useQuery({
    queryKey: ['mesh-version', id],
    queryFn: () => ask<{ files: MeshFile[] }>(`mesh/versions/${id}`),
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  const textIn = (set: readonly MeshFile[], name: string): string =>
    set.find(({ file }) => file === name)?.text ?? '';
  const names = [...new Set([...data.files, ...files].map(({ file }) => file))].toSorted();
  const changed = names.filter((name) => textIn(data.files, name) !== textIn(files, name));
  return (
    <Stack gap="xs" data-version-diff={id}>
      <Text fw={600} size="sm">
        {t('From version {from} to what is served', { from: id })}
      </Text>
      {changed.length === 0 && <p className="none">{t('Nothing differs.')}</p>}
      {changed.map((name) => (
        <section key={name} aria-label={name}>
          <Text size="sm" className="id">
            {name}
          </Text>
          <LineDifferences before={textIn(data.files, name)} after={textIn(files, name)} />
        </section>
      ))}
    </Stack>
  );
}

function Proxies({
  proxies,
  version,
}: {
  readonly proxies: readonly Proxy[];
  readonly version: string;
}): ReactNode {
  const t = useTexts();
  if (proxies.length === 0)
    return (
      <Empty title={t('No proxy is connected.')}>
        {t('Proxies ask this control plane by xDS (ADS) at its own address, with the token of the registry.')}
      </Empty>
    );
  return (
    <DataTable
      label={t('Proxies')}
      rows={proxies}
      keyOf={({ node }) => node}
      columns={[
        {
          key: 'node',
          title: t('Proxy'),
          cell: ({ node }) => <strong>{node}</strong>,
          sortBy: ({ node }) => node,
        },
        { key: 'protocol', title: t('Protocol'), cell: ({ protocol }) => protocol, wide: true },
        {
          key: 'taken',
          title: t('Has taken'),
          cell: ({ types = [] }) =>
            types
              .map(({ type, acknowledged }) => `${type.split('.').at(-1) ?? type} ${acknowledged || '–'}`)
              .join(', ') || '–',
        },
        {
          key: 'state',
          title: t('State'),
          cell: ({ refusal, types = [] }) =>
            refusal !== undefined ? (
              <span className="bad">{refusal}</span>
            ) : types.some(({ pending }) => pending !== undefined) ? (
              t('is sent set {version}', { version })
            ) : (
              t('up to date')
            ),
        },
      ]}
    />
  );
}
