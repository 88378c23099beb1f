import { Alert, Button, Group, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import type { YamlEditorProps } from '../editor/yaml-editor.tsx';
import { useTexts } from '../texts/language.tsx';
import { Confirm } from './confirm.tsx';
import { Loading } from './loading.tsx';
import { Problem } from './problem.tsx';

const Fetched = lazy(async () => ({ default: (await import('../editor/yaml-editor.tsx')).YamlEditor }));

/** The editor, fetched by those who change something. */
export function Editor(props: YamlEditorProps): ReactNode {
  return (
    <Suspense fallback={<Loading />}>
      <Fetched {...props} />
    </Suspense>
  );
}

/** A text on its way to being published: written, tried as it stands, published. */
export interface Draft<Plan> {
  readonly content: string;
  readonly write: (content: string) => void;
  /** What would become of this very text; undefined until it was tried. */
  readonly plan: Plan | undefined;
  readonly tryIt: () => void;
  readonly trying: boolean;
  readonly error: Error | null;
  /** The version that it became. */
  readonly published: number | undefined;
  readonly publish: (made: Promise<{ readonly id: number }>) => Promise<void>;
  readonly begin: (content: string) => void;
}

/** A draft that begins with a text and is tried by `dryRun`. */
export function useDraft<Plan>(first: string, dryRun: (content: string) => Promise<Plan>): Draft<Plan> {
  const [content, setContent] = useState(first);
  const [published, setPublished] = useState<number>();
  const tried = useMutation({
    mutationFn: (text: string) => dryRun(text).then((made) => ({ made, text })),
  });
  return {
    content,
    write: setContent,
    plan: tried.data?.text === content ? tried.data.made : undefined,
    tryIt: () => tried.mutate(content),
    trying: tried.isPending,
    error: tried.error,
    published,
    publish: async (made) => setPublished((await made).id),
    begin: (text) => {
      setContent(text);
      setPublished(undefined);
      tried.reset();
    },
  };
}

interface PublishProps<Plan extends { readonly ok: boolean }> {
  readonly draft: Draft<Plan>;
  /** What will happen. */
  readonly question: string;
  readonly act: (why: string) => Promise<{ readonly id: number }>;
  /** Instead of publishing, where that is done elsewhere. */
  readonly elsewhere?: ReactNode;
}

/** Tries a draft, and publishes what was tried and nothing else. */
export function Publish<Plan extends { readonly ok: boolean }>({
  draft,
  question,
  act,
  elsewhere,
}: PublishProps<Plan>): ReactNode {
  const t = useTexts();
  const fits = draft.plan?.ok === true && draft.published === undefined;
  return (
    <>
      <Group gap="xs">
        <Button size="compact-sm" variant="default" loading={draft.trying} onClick={draft.tryIt}>
          {t('Check and dry-run')}
        </Button>
        {elsewhere ?? (
          <>
            <Confirm
              label={t('Publish')}
              variant="filled"
              disabled={!fits}
              asksWhy
              act={(why) => draft.publish(act(why))}
              question={question}
            />
            <Text size="sm" c="dimmed" role="status">
              {draft.published !== undefined
                ? t('Version {id} is served.', { id: draft.published })
                : fits
                  ? ''
                  : t('Publishing needs a dry run of this very text.')}
            </Text>
          </>
        )}
      </Group>
      <Problem error={draft.error} />
    </>
  );
}

/** What is served is another than the draft was begun with: by oneself or by somebody else. */
export function Overtaken({
  published,
  anew,
}: {
  readonly published: number | undefined;
  readonly anew: () => void;
}): ReactNode {
  const t = useTexts();
  return (
    <Alert color="yellow" variant="light" data-overtaken>
      <Group gap="xs">
        {published === undefined
          ? t('Another version is served by now: what you publish is refused until you begin anew.')
          : t('Version {id} is served.', { id: published })}
        <Button size="compact-sm" variant="default" onClick={anew}>
          {t('Begin anew')}
        </Button>
      </Group>
    </Alert>
  );
}

/** Something recorded that a draft would treat otherwise. */
export interface Moved {
  readonly what: string;
  readonly before: string;
  readonly after: string;
  readonly times: number;
}

/** What a dry run with recorded traffic has found. */
export function DryRun({
  title,
  what,
  of,
  moved,
  unrecorded,
  same,
}: {
  readonly title: string;
  /** The head of the first column. */
  readonly what: string;
  /** How many were tried. */
  readonly of: number;
  readonly moved: readonly Moved[];
  /** Said where nothing was recorded, and where nothing moves. */
  readonly unrecorded: string;
  readonly same: string;
}): ReactNode {
  const t = useTexts();
  return (
    <>
      <Text fw={600} size="sm">
        {title}
      </Text>
      {of === 0 ? (
        <Text size="sm" c="dimmed">
          {unrecorded}
        </Text>
      ) : moved.length === 0 ? (
        <Text size="sm">{same}</Text>
      ) : (
        <div className="table-region" role="region" tabIndex={0} aria-label={title}>
          <table className="diff" data-moved={moved.length}>
            <thead>
              <tr>
                {[what, t('Before'), t('After'), t('Times')].map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {moved.map((one) => (
                <tr key={`${one.what} ${one.before} ${one.after}`}>
                  <td>{one.what}</td>
                  <td className="before">{one.before}</td>
                  <td className="after">{one.after}</td>
                  <td>{one.times}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
