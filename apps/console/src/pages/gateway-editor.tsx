import { Alert, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { ask } from '../data/http.ts';
import type { Mark } from '../editor/yaml-editor.tsx';
import { Differences } from '../parts/differences.tsx';
import { Loading } from '../parts/loading.tsx';
import { Problem } from '../parts/problem.tsx';
import { DryRun, Editor, Overtaken, Publish, useDraft } from '../parts/publishing.tsx';
import { useTexts } from '../texts/language.tsx';

interface Plan {
  readonly ok: boolean;
  readonly problems?: readonly {
    readonly line: number;
    readonly column: number;
    readonly at: string;
    readonly message: string;
  }[];
  readonly changes?: readonly { readonly at: string; readonly from?: unknown; readonly to?: unknown }[];
  readonly requests?: number;
  readonly unmatched?: readonly string[];
  readonly moved?: readonly {
    readonly request: string;
    readonly from: string;
    readonly to: string;
    readonly count: number;
  }[];
}

interface RouteEditorProps {
  readonly path: string;
  readonly current: number;
}

/** The routes as text. Nothing is published that was not checked as it stands: mistakes, differences, recorded requests. */
export function RouteEditor({ path, current }: RouteEditorProps): ReactNode {
  const [base, setBase] = useState(current);
  const { data, error } = useQuery({
    queryKey: ['gateway-version', path, base],
    queryFn: () => ask<{ documents: { source: string; content: string }[] }>(`${path}/versions/${base}`),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error) return <Problem error={error} />;
  if (data === undefined) return <Loading />;
  return (
    <OneDocument
      key={`${path} ${base}`}
      path={path}
      base={base}
      overtaken={base !== current}
      anew={() => setBase(current)}
      first={data.documents.map((one) => one.content).join('\n---\n')}
      files={data.documents.length}
    />
  );
}

interface OneDocumentProps {
  readonly path: string;
  readonly base: number;
  readonly overtaken: boolean;
  readonly anew: () => void;
  readonly first: string;
  readonly files: number;
}

function OneDocument({ path, base, overtaken, anew, first, files }: OneDocumentProps): ReactNode {
  const t = useTexts();
  const draft = useDraft(first, (content) => ask<Plan>(`${path}/plan`, 'POST', { content }));
  const { content, plan } = draft;
  const marks = useMemo(
    () => plan?.problems?.map((problem): Mark => ({ ...problem, severity: 'error' })) ?? [],
    [plan],
  );
  return (
    <Stack>
      {overtaken && <Overtaken published={draft.published} anew={anew} />}
      {files > 1 && (
        <Alert color="yellow" variant="light">
          {t('{count} files are served; publishing makes them one.', { count: files })}
        </Alert>
      )}
      <Text size="sm" c="dimmed">
        {t('Begun with version {id}', { id: base })}
      </Text>
      <Editor label={t('Routes as YAML')} first={first} onChange={draft.write} marks={marks} />
      <Publish
        draft={draft}
        act={(why) => ask(`${path}/publish`, 'POST', { content, expected: base, why })}
        question={t('{count} values change; the gateway serves them at once.', {
          count: plan?.changes?.length ?? 0,
        })}
      />
      {plan && <PlanView plan={plan} />}
    </Stack>
  );
}

function PlanView({ plan }: { readonly plan: Plan }): ReactNode {
  const t = useTexts();
  if (!plan.ok)
    return (
      <Alert color="red" variant="light" title={t('It cannot be published.')} data-plan="refused">
        <ul>
          {plan.problems?.map(({ line, column, at, message }) => (
            <li key={`${line}:${column}${message}`}>{`${line}:${column} ${at} ${message}`}</li>
          ))}
        </ul>
      </Alert>
    );
  const { changes = [], requests = 0, moved = [], unmatched = [] } = plan;
  return (
    <Stack gap="xs" data-plan="ok">
      <Text fw={600} size="sm">
        {t('What changes')}
      </Text>
      <Differences of={changes.map(({ at, from, to }) => ({ at, before: from, after: to }))} />
      <DryRun
        title={t('Dry run with {count} requests of the last hour', { count: requests })}
        what={t('Request')}
        of={requests}
        moved={moved.map(({ request, from, to, count }) => {
          return { what: request, before: from, after: to, times: count };
        })}
        unrecorded={t('No request was recorded: nothing to try it on.')}
        same={t('Each goes to the route that it went to before.')}
      />
      {unmatched.length > 0 && (
        <Text size="sm" c="dimmed">
          {t('No recorded request is for: {routes}', { routes: unmatched.join(', ') })}
        </Text>
      )}
    </Stack>
  );
}
