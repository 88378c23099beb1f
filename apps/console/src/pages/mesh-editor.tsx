import { Alert, Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useMemo, useState } from 'react';
import { ask } from '../data/http.ts';
import type { KindTerms } from '../editor/complete.ts';
import { Confirm } from '../parts/confirm.tsx';
import { FindingList, type MeshFinding } from '../parts/findings.tsx';
import { LineDifferences } from '../parts/line-differences.tsx';
import { Loading } from '../parts/loading.tsx';
import { Problem } from '../parts/problem.tsx';
import { useTexts } from '../texts/language.tsx';

const YamlEditor = lazy(async () => ({ default: (await import('../editor/yaml-editor.tsx')).YamlEditor }));

/** A file of rules. */
export interface MeshFile {
  readonly file: string;
  readonly text: string;
}

interface Plan {
  readonly ok: boolean;
  readonly findings: readonly MeshFinding[];
  readonly before: string;
  readonly rehearsal: {
    readonly calls: number;
    readonly changed: number;
    readonly differences: readonly {
      readonly from: string;
      readonly host: string;
      readonly what: string;
      readonly before: string;
      readonly after: string;
      readonly calls: number;
      readonly example: string;
    }[];
  } | null;
}

const newFile = '+';
const nameForm = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*\.(yaml|yml|json)$/;

/** Changes one file of the rules: findings while it is written, then what differs and a dry run, then publishing. */
export function MeshEditor({
  files,
  digest,
}: {
  readonly files: readonly MeshFile[];
  readonly digest: string;
}): ReactNode {
  const t = useTexts();
  const [chosen, setChosen] = useState(files[0]?.file ?? newFile);
  const [name, setName] = useState('rules.yaml');
  const file = chosen === newFile ? name : chosen;
  return (
    <Stack>
      <Group align="flex-end" gap="xs">
        <Select
          size="xs"
          w={260}
          label={t('File')}
          allowDeselect={false}
          data={[...files.map((one) => one.file), { value: newFile, label: t('A new file') }]}
          value={chosen}
          onChange={(next) => setChosen(next ?? chosen)}
        />
        {chosen === newFile && (
          <TextInput
            size="xs"
            label={t('Its name')}
            value={name}
            error={nameForm.test(name) ? undefined : t('such as shop/order.yaml')}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
      </Group>
      <OneFile
        key={chosen}
        file={file}
        first={files.find((one) => one.file === file)?.text ?? ''}
        digest={digest}
      />
    </Stack>
  );
}

function OneFile({
  file,
  first,
  digest,
}: {
  readonly file: string;
  readonly first: string;
  readonly digest: string;
}): ReactNode {
  const t = useTexts();
  const [{ base, begun }, setBegun] = useState({ base: digest, begun: first });
  const [content, setContent] = useState(first);
  const [published, setPublished] = useState<number>();
  const marks = useFindings(file, content);
  const terms = useTerms();
  const plan = useMutation({
    mutationFn: (text: string) =>
      ask<Plan>('mesh/plan', 'POST', { file, content: text }).then((made) => ({ made, text })),
  });
  const fits = plan.data?.text === content && plan.data.made.ok && published === undefined;
  const own = useMemo(() => marks.filter((one) => one.file === file), [marks, file]);
  const publish = (why: string): Promise<void> =>
    ask<{ id: number }>('mesh/publish', 'POST', { file, content, expected: base, why }).then(({ id }) =>
      setPublished(id),
    );
  return (
    <>
      {base !== digest && (
        <Overtaken
          published={published}
          anew={() => {
            setBegun({ base: digest, begun: first });
            setContent(first);
            setPublished(undefined);
            plan.reset();
          }}
        />
      )}
      <Suspense fallback={<Loading />}>
        <YamlEditor
          key={base}
          label={t('Rules as YAML')}
          first={begun}
          onChange={setContent}
          marks={own}
          {...(terms !== undefined && { terms })}
        />
      </Suspense>
      <FindingList of={marks} />
      <Group gap="xs">
        <DryRun pending={plan.isPending} run={() => plan.mutate(content)} />
        <Confirm
          label={t('Publish')}
          variant="filled"
          disabled={!fits}
          asksWhy
          act={publish}
          question={t('{changed} of {calls} recorded calls are treated otherwise; proxies get it at once.', {
            changed: plan.data?.made.rehearsal?.changed ?? 0,
            calls: plan.data?.made.rehearsal?.calls ?? 0,
          })}
        />
        <Text size="sm" c="dimmed" role="status">
          {published !== undefined
            ? t('Version {id} is served.', { id: published })
            : fits
              ? ''
              : t('Publishing needs a dry run of this very text.')}
        </Text>
      </Group>
      <Problem error={plan.error} />
      {plan.data?.text === content && <PlanView plan={plan.data.made} after={content} />}
    </>
  );
}

function DryRun({ pending, run }: { readonly pending: boolean; readonly run: () => void }): ReactNode {
  const t = useTexts();
  return (
    <Button size="compact-sm" variant="default" loading={pending} onClick={run}>
      {t('Check and dry-run')}
    </Button>
  );
}

function useTerms(): readonly KindTerms[] | undefined {
  return useQuery({
    queryKey: ['mesh-terms'],
    queryFn: () => ask<readonly KindTerms[]>('mesh/terms'),
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
}

/** The rules are others than those that the change was begun with: by oneself or by somebody else. */
function Overtaken({
  published,
  anew,
}: {
  readonly published: number | undefined;
  readonly anew: () => void;
}): ReactNode {
  const t = useTexts();
  return (
    <Alert color="yellow" variant="light">
      <Group gap="xs">
        {published === undefined
          ? t('Somebody has changed the rules: what you publish is refused until you begin anew.')
          : t('Version {id} is served.', { id: published })}
        <Button size="compact-sm" variant="default" onClick={anew}>
          {t('Begin anew')}
        </Button>
      </Group>
    </Alert>
  );
}

/** What an analysis finds in the text as it is now, saved or not. */
function useFindings(file: string, content: string): readonly MeshFinding[] {
  const [settled] = useDebouncedValue(content, 400);
  const { data } = useQuery({
    queryKey: ['mesh-check', file, settled],
    queryFn: () => ask<{ findings: MeshFinding[] }>('mesh/check', 'POST', { file, content: settled }),
    enabled: nameForm.test(file),
    placeholderData: (before) => before,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data?.findings ?? none;
}

const none: readonly MeshFinding[] = [];

function PlanView({ plan, after }: { readonly plan: Plan; readonly after: string }): ReactNode {
  const t = useTexts();
  const { rehearsal, before } = plan;
  if (rehearsal === null)
    return (
      <Alert color="red" variant="light" title={t('It cannot be published.')} data-plan="refused">
        <FindingList of={plan.findings.filter(({ severity }) => severity === 'error')} />
      </Alert>
    );
  return (
    <Stack gap="xs" data-plan="ok">
      <Text fw={600} size="sm">
        {t('What changes')}
      </Text>
      <LineDifferences before={before} after={after} />
      <Text fw={600} size="sm">
        {t('Dry run with {count} calls of the last hour', { count: rehearsal.calls })}
      </Text>
      {rehearsal.calls === 0 ? (
        <Text size="sm" c="dimmed">
          {t('No call between services was recorded: nothing to try it on.')}
        </Text>
      ) : rehearsal.differences.length === 0 ? (
        <Text size="sm">{t('Each is treated as it was before.')}</Text>
      ) : (
        <div className="table-region" role="region" tabIndex={0} aria-label={t('Dry run')}>
          <table className="diff" data-moved={rehearsal.differences.length}>
            <thead>
              <tr>
                <th scope="col">{t('Call')}</th>
                <th scope="col">{t('Before')}</th>
                <th scope="col">{t('After')}</th>
                <th scope="col">{t('Times')}</th>
              </tr>
            </thead>
            <tbody>
              {rehearsal.differences.map((one) => (
                <tr key={`${one.from} ${one.host} ${one.what} ${one.before} ${one.after}`}>
                  <td>{`${one.from || t('(outside)')} → ${one.host}: ${one.example}`}</td>
                  <td className="before">{one.before}</td>
                  <td className="after">{one.after}</td>
                  <td>{one.calls}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Stack>
  );
}
