import { Alert, Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { Confirm } from '../parts/confirm.tsx';
import { Differences } from '../parts/differences.tsx';
import { Loading } from '../parts/loading.tsx';
import { Problem } from '../parts/problem.tsx';
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

/** The routes as text. Nothing is published that was not checked as it stands: mistakes, differences, recorded requests. */
export function RouteEditor({
  path,
  current,
}: {
  readonly path: string;
  readonly current: number;
}): ReactNode {
  const t = useTexts();
  const [base] = useState(current);
  const { data, error } = useQuery({
    queryKey: ['gateway-version', path, base],
    queryFn: () => ask<{ documents: { source: string; content: string }[] }>(`${path}/versions/${base}`),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error) return <Problem error={error} />;
  if (data === undefined) return <Loading />;
  const content = data.documents.map((one) => one.content).join('\n---\n');
  return (
    <Editor
      path={path}
      base={base}
      overtaken={base !== current}
      first={content}
      files={data.documents.length}
      key={`${path} ${base}`}
      t={t}
    />
  );
}

interface EditorProps {
  readonly path: string;
  readonly base: number;
  readonly overtaken: boolean;
  readonly first: string;
  readonly files: number;
  readonly t: ReturnType<typeof useTexts>;
}

function Editor({ path, base, overtaken, first, files, t }: EditorProps): ReactNode {
  const [content, setContent] = useState(first);
  const [published, setPublished] = useState<number>();
  const plan = useMutation({
    mutationFn: (text: string) =>
      ask<Plan>(`${path}/plan`, 'POST', { content: text }).then((made) => ({ made, text })),
  });
  const fits = plan.data?.text === content && plan.data.made.ok;
  return (
    <Stack>
      {overtaken && published === undefined && (
        <Alert color="yellow" variant="light">
          {t('Another version is served by now: what you publish is refused until you begin anew.')}
        </Alert>
      )}
      {files > 1 && (
        <Alert color="yellow" variant="light">
          {t('{count} files are served; publishing makes them one.', { count: files })}
        </Alert>
      )}
      <Textarea
        className="editor"
        label={t('Routes as YAML')}
        description={t('Begun with version {id}', { id: base })}
        autosize
        minRows={12}
        maxRows={28}
        value={content}
        onChange={(event) => setContent(event.currentTarget.value)}
        spellCheck={false}
        data-editor
      />
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          loading={plan.isPending}
          onClick={() => plan.mutate(content)}
        >
          {t('Check and dry-run')}
        </Button>
        <Confirm
          label={t('Publish')}
          variant="filled"
          disabled={!fits}
          asksWhy
          act={async (why) =>
            setPublished(
              (await ask<{ id: number }>(`${path}/publish`, 'POST', { content, expected: base, why })).id,
            )
          }
          question={t('{count} values change; the gateway serves them at once.', {
            count: plan.data?.made.changes?.length ?? 0,
          })}
        />
        {!fits && (
          <Text size="sm" c="dimmed">
            {t('Publishing needs a dry run of this very text.')}
          </Text>
        )}
        {published !== undefined && (
          <Text size="sm" fw={600} role="status">
            {t('Version {id} is served.', { id: published })}
          </Text>
        )}
      </Group>
      <Problem error={plan.error} />
      {plan.data && <PlanView plan={plan.data.made} />}
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
  const moved = plan.moved ?? [];
  return (
    <Stack gap="xs" data-plan="ok">
      <Text fw={600} size="sm">
        {t('What changes')}
      </Text>
      <Differences of={(plan.changes ?? []).map(({ at, from, to }) => ({ at, before: from, after: to }))} />
      <Text fw={600} size="sm">
        {t('Dry run with {count} requests of the last hour', { count: plan.requests ?? 0 })}
      </Text>
      {plan.requests === 0 ? (
        <Text size="sm" c="dimmed">
          {t('No request was recorded: nothing to try it on.')}
        </Text>
      ) : moved.length === 0 ? (
        <Text size="sm">{t('Each goes to the route that it went to before.')}</Text>
      ) : (
        <table className="diff" data-moved={moved.length}>
          <thead>
            <tr>
              <th scope="col">{t('Request')}</th>
              <th scope="col">{t('Before')}</th>
              <th scope="col">{t('After')}</th>
              <th scope="col">{t('Times')}</th>
            </tr>
          </thead>
          <tbody>
            {moved.map((one) => (
              <tr key={one.request + one.to}>
                <td>{one.request}</td>
                <td className="before">{one.from}</td>
                <td className="after">{one.to}</td>
                <td>{one.count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {(plan.unmatched?.length ?? 0) > 0 && (
        <Text size="sm" c="dimmed">
          {t('No recorded request is for: {routes}', { routes: plan.unmatched?.join(', ') ?? '' })}
        </Text>
      )}
    </Stack>
  );
}
