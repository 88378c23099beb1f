import { Button, Code, Group, Select, Stack, Tabs, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../data/http.ts';
import { useMay } from '../data/session.ts';
import { Loading } from '../parts/loading.tsx';
import { Problem } from '../parts/problem.tsx';
import { duration } from '../texts/format.ts';
import { useTexts } from '../texts/language.tsx';

interface Example {
  readonly name: string;
  readonly description?: string;
  readonly example: unknown;
}

interface Docs {
  readonly id: string;
  readonly kind: 'http' | 'grpc' | 'message';
  readonly summary: string;
  /** Of gRPC which of the four, of messages who sends. */
  readonly pattern?: string;
  readonly address?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly description: string;
    readonly example: unknown;
  }[];
  readonly takes: readonly Example[];
  readonly gives: readonly Example[];
  readonly snippets: readonly { readonly language: string; readonly lines: string }[];
}

interface Attempted {
  readonly outputs: readonly (
    | {
        readonly kind: 'answer';
        readonly status: number;
        readonly headers: Record<string, string>;
        readonly body: string;
      }
    | { readonly kind: 'message'; readonly message: unknown }
    | { readonly kind: 'published'; readonly id: string }
  )[];
  readonly tookMs: number;
  readonly cut: boolean;
  readonly error: { readonly code: string; readonly reason: string; readonly message: string } | null;
}

/** One operation: what it takes and gives, lines to paste, and a form that tries it at a running instance. */
export function OneOperation({ service, id }: { readonly service: string; readonly id: string }): ReactNode {
  const t = useTexts();
  const may = useMay('operator');
  const { data, error } = useQuery({
    queryKey: ['operation', service, id],
    queryFn: () =>
      ask<Docs>(`contracts/${encodeURIComponent(service)}/operation?id=${encodeURIComponent(id)}`),
    staleTime: 60_000,
  });
  if (data === undefined) return error ? <Problem error={error} /> : <Loading />;
  return (
    <Stack data-docs={data.id}>
      <div>
        <Title order={2}>{data.id}</Title>
        <Text size="sm" c="dimmed">
          {[data.pattern && t(data.pattern), data.summary].filter(Boolean).join(' · ')}
        </Text>
      </div>
      {may ? (
        <Try service={service} docs={data} />
      ) : (
        <Text size="sm" c="dimmed">
          {t('Trying it needs the role operator.')}
        </Text>
      )}
      <Examples title={t('Takes')} of={data.takes} />
      <Examples title={t('Gives')} of={data.gives} />
      <Snippets of={data.snippets} />
    </Stack>
  );
}

function Examples({ title, of }: { readonly title: string; readonly of: readonly Example[] }): ReactNode {
  if (of.length === 0) return null;
  return (
    <section aria-label={title}>
      <Text fw={600} size="sm">
        {title}
      </Text>
      {of.map(({ name, description, example }) => (
        <div key={name} className="example">
          <Text size="sm">
            <strong>{name}</strong> {description}
          </Text>
          {example !== null && <Code block>{JSON.stringify(example, undefined, 2)}</Code>}
        </div>
      ))}
    </section>
  );
}

function Snippets({ of }: { readonly of: Docs['snippets'] }): ReactNode {
  const [first] = of;
  if (first === undefined) return null;
  return (
    <Tabs defaultValue={first.language} keepMounted={false}>
      <Tabs.List mb="xs">
        {of.map(({ language }) => (
          <Tabs.Tab key={language} value={language}>
            {language}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {of.map(({ language, lines }) => (
        <Tabs.Panel key={language} value={language}>
          <Code block data-snippet={language}>
            {lines}
          </Code>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

const takesMany = ['client_streaming', 'bidi_streaming'];

function Try({ service, docs }: { readonly service: string; readonly docs: Docs }): ReactNode {
  const t = useTexts();
  const [values, setValues] = useState<Record<string, string>>(() => exampleValues(docs));
  const [type, setType] = useState(docs.takes[0]?.name);
  const [content, setContent] = useState(() => exampleContent(docs, docs.takes[0]?.name));
  const [wrong, setWrong] = useState<string>();
  const attempt = useMutation({
    mutationFn: (inputs: readonly unknown[]) =>
      ask<Attempted>(`contracts/${encodeURIComponent(service)}/try`, 'POST', {
        operation: docs.id,
        ...valuesByPlace(docs, values),
        inputs,
        ...(docs.kind === 'message' && type !== undefined && { type }),
      }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    try {
      const inputs = docs.takes.length === 0 ? [] : inputsIn(docs, content);
      setWrong(undefined);
      attempt.mutate(inputs);
    } catch (thrown) {
      setWrong(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  const listens = docs.kind === 'message' && docs.pattern === 'send';
  return (
    <Stack component="form" onSubmit={submit} className="try" gap="xs" data-try>
      <Parameters docs={docs} values={values} setValues={setValues} />
      {docs.kind === 'message' && docs.takes.length > 1 && (
        <Select
          size="xs"
          label={t('Kind of message')}
          allowDeselect={false}
          data={docs.takes.map(({ name }) => name)}
          value={type ?? null}
          onChange={(next) => {
            setType(next ?? type);
            setContent(exampleContent(docs, next ?? type));
          }}
        />
      )}
      {docs.takes.length > 0 && (
        <Textarea
          className="editor"
          size="xs"
          autosize
          minRows={3}
          maxRows={16}
          label={
            takesMany.includes(docs.pattern ?? '')
              ? t('Messages, one JSON on each line')
              : t('Content as JSON')
          }
          value={content}
          onChange={(event) => setContent(event.currentTarget.value)}
          spellCheck={false}
          error={wrong}
          data-content
        />
      )}
      <Group gap="xs">
        <Button type="submit" size="compact-sm" loading={attempt.isPending}>
          {listens ? t('Listen for 5 s') : t('Try it')}
        </Button>
        <Text size="xs" c="dimmed">
          {t('It is sent to a running instance, and noted in the audit log.')}
        </Text>
      </Group>
      <Problem error={attempt.error} />
      {attempt.data && <Result of={attempt.data} />}
    </Stack>
  );
}

function Parameters({
  docs: { parameters = [] },
  values,
  setValues,
}: {
  readonly docs: Docs;
  readonly values: Readonly<Record<string, string>>;
  readonly setValues: (values: Record<string, string>) => void;
}): ReactNode {
  const t = useTexts();
  return parameters.map((one) => {
    const key = `${one.in} ${one.name}`;
    return (
      <TextInput
        key={key}
        size="xs"
        label={`${one.name} (${t(one.in)})`}
        description={one.description || undefined}
        required={one.required}
        value={values[key] ?? ''}
        onChange={(event) => setValues({ ...values, [key]: event.currentTarget.value })}
      />
    );
  });
}

function Result({ of: { outputs, tookMs, cut, error } }: { readonly of: Attempted }): ReactNode {
  const t = useTexts();
  return (
    <section aria-label={t('Result')} role="status" data-result={error === null ? 'ok' : error.reason}>
      <Text size="sm" fw={600}>
        {t('{count} came back in {time}', { count: outputs.length, time: duration(tookMs) ?? '' })}
        {cut && ` ${t('(the first ones; there were more)')}`}
      </Text>
      {outputs.map((output, at) => (
        // They have no name of their own and never change places.
        <Code block key={`${at} ${output.kind}`} data-output={output.kind}>
          {textOf(output)}
        </Code>
      ))}
      {error !== null && (
        <Text size="sm" className="bad">{`${error.code} ${error.reason}: ${error.message}`}</Text>
      )}
    </section>
  );
}

function textOf(output: Attempted['outputs'][number]): string {
  if (output.kind === 'message') return JSON.stringify(output.message, undefined, 2);
  if (output.kind === 'published') return output.id;
  return `${output.status}\n${pretty(output.body)}`;
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

function exampleValues({ parameters = [] }: Docs): Record<string, string> {
  return Object.fromEntries(
    parameters
      .filter(({ required }) => required)
      .map((one) => [
        `${one.in} ${one.name}`,
        typeof one.example === 'string' ? one.example : JSON.stringify(one.example ?? ''),
      ]),
  );
}

function exampleContent({ takes, pattern }: Docs, type: string | undefined): string {
  const { example } = takes.find(({ name }) => name === type) ?? { example: {} };
  const indent = takesMany.includes(pattern ?? '') ? undefined : 2;
  return JSON.stringify(example ?? {}, undefined, indent);
}

/** Parameters by where they go: those of a header apart from the others. */
function valuesByPlace(
  { parameters = [] }: Docs,
  values: Readonly<Record<string, string>>,
): { parameters: Record<string, string>; headers: Record<string, string> } {
  const given = parameters.filter((one) => (values[`${one.in} ${one.name}`] ?? '') !== '');
  const of = (isHeader: boolean): Record<string, string> =>
    Object.fromEntries(
      given
        .filter((one) => (one.in === 'header') === isHeader)
        .map((one) => [one.name, values[`${one.in} ${one.name}`] ?? '']),
    );
  return { parameters: of(false), headers: of(true) };
}

/** Throws a `SyntaxError` that says what is no JSON. */
function inputsIn({ pattern, kind }: Docs, content: string): readonly unknown[] {
  const many = takesMany.includes(pattern ?? '');
  const parts = many ? content.split('\n').filter((line) => line.trim() !== '') : [content];
  if (kind === 'http' && content.trim() === '') return [];
  return parts.map((part) => JSON.parse(part) as unknown);
}
