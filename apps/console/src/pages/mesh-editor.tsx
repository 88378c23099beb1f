import { Alert, Anchor, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { ask } from '../data/http.ts';
import type { KindTerms } from '../editor/complete.ts';
import { FindingList, type MeshFinding } from '../parts/findings.tsx';
import { LineDifferences } from '../parts/line-differences.tsx';
import { DryRun, Editor, Overtaken, Publish, useDraft } from '../parts/publishing.tsx';
import { useTexts } from '../texts/language.tsx';

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

interface MeshEditorProps {
  readonly files: readonly MeshFile[];
  readonly digest: string;
  /** Whether it can be published from here; else it is tried here, and changed where it comes from. */
  readonly writable: boolean;
}

/** Changes one file of the rules: findings while it is written, then what differs and a dry run, then publishing. */
export function MeshEditor({ files, digest, writable }: MeshEditorProps): ReactNode {
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
        writable={writable}
      />
    </Stack>
  );
}

interface OneFileProps extends Omit<MeshEditorProps, 'files'> {
  readonly file: string;
  readonly first: string;
}

function OneFile({ file, first, digest, writable }: OneFileProps): ReactNode {
  const t = useTexts();
  const [{ base, begun }, setBegun] = useState({ base: digest, begun: first });
  const draft = useDraft(first, (content) => ask<Plan>('mesh/plan', 'POST', { file, content }));
  const { content, plan } = draft;
  const marks = useFindings(file, content);
  const terms = useTerms();
  const own = useMemo(() => marks.filter((one) => one.file === file), [marks, file]);
  return (
    <>
      {base !== digest && (
        <Overtaken
          published={draft.published}
          anew={() => {
            setBegun({ base: digest, begun: first });
            draft.begin(first);
          }}
        />
      )}
      <Editor
        key={base}
        label={t('Rules as YAML')}
        first={begun}
        onChange={draft.write}
        marks={own}
        {...(terms !== undefined && { terms })}
      />
      <FindingList of={marks} />
      <Publish
        draft={draft}
        act={(why) => ask('mesh/publish', 'POST', { file, content, expected: base, why })}
        question={t('{changed} of {calls} recorded calls are treated otherwise; proxies get it at once.', {
          changed: plan?.rehearsal?.changed ?? 0,
          calls: plan?.rehearsal?.calls ?? 0,
        })}
        {...(!writable && { elsewhere: <Download file={file} content={content} /> })}
      />
      {plan && <PlanView plan={plan} after={content} />}
    </>
  );
}

/** What was tried here is taken to where the rules come from. */
function Download({ file, content }: { readonly file: string; readonly content: string }): ReactNode {
  const t = useTexts();
  return (
    <Anchor
      size="sm"
      href={`data:application/yaml;charset=utf-8,${encodeURIComponent(content)}`}
      download={file.split('/').at(-1)}
      data-download={file}
    >
      {t('Download this text')}
    </Anchor>
  );
}

function useTerms(): readonly KindTerms[] | undefined {
  return useQuery({
    queryKey: ['mesh-terms'],
    queryFn: () => ask<readonly KindTerms[]>('mesh/terms'),
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
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
      <DryRun
        title={t('Dry run with {count} calls of the last hour', { count: rehearsal.calls })}
        what={t('Call')}
        of={rehearsal.calls}
        moved={rehearsal.differences.map((one) => ({
          what: `${one.from || t('(outside)')} → ${one.host}: ${one.example}`,
          before: one.before,
          after: one.after,
          times: one.calls,
        }))}
        unrecorded={t('No call between services was recorded: nothing to try it on.')}
        same={t('Each is treated as it was before.')}
      />
    </Stack>
  );
}
