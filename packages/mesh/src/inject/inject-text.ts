import { HeddleError } from '@heddle/kernel';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { injectPod } from './inject-pod.ts';
import type { InjectSettings } from './inject-settings.ts';
import { jsonPatch, type PatchStep } from './json-patch.ts';
import { isMembers, type Json, type JsonMembers } from './json-value.ts';
import type { PodBody } from './pod-body.ts';
import { namespacesAmong, objectsOf, podPlace } from './pod-places.ts';
import { editDocument } from './yaml-edit.ts';

/** A text with manifests, and how it is called in messages. */
export interface ManifestText {
  readonly file: string;
  readonly text: string;
}

/** What came of texts. */
export interface InjectedTexts {
  /** In the order in which they were given. A text without pods is as it was, to the byte. */
  readonly texts: readonly ManifestText[];
  readonly injected: number;
  readonly kept: number;
  readonly left: number;
  readonly notes: readonly string[];
}

/** How texts are injected. */
export interface InjectTextOptions {
  readonly settings: InjectSettings;
  /** Of objects that name none. Default `default`. */
  readonly namespace?: string;
}

/**
 * Gives the pods in manifests (YAML of several documents, Lists, JSON) their sidecars. Namespaces among the manifests
 * are heeded. Comments and all that is not a pod stay as they are. Throws `invalid_argument` / `BAD_MANIFEST` with all
 * mistakes at once.
 */
export function injectTexts(given: readonly ManifestText[], options: InjectTextOptions): InjectedTexts {
  const problems: string[] = [];
  const parts = given.map(({ file, text }) => ({ file, documents: documentsOf(file, text, problems) }));
  const objects = parts.flatMap(({ documents }) =>
    documents.flatMap(({ data }) => objectsOf(data).map(({ object }) => object)),
  );
  const namespaces = namespacesAmong(objects);
  const told: Told = { injected: 0, kept: 0, left: 0, notes: [] };
  const inject = (data: JsonMembers): readonly PatchStep[] => {
    try {
      return stepsFor(data, namespaces, options, told);
    } catch (thrown) {
      problems.push(HeddleError.from(thrown).message);
      return [];
    }
  };
  const texts = parts.map(({ file, documents }) => ({
    file,
    text: documents.map((document) => document.changed(inject(document.data))).join(''),
  }));
  if (problems.length === 0) return { texts, ...told };
  const message = problems.join('\n');
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_MANIFEST', message, sent: false });
}

interface Told {
  injected: number;
  kept: number;
  left: number;
  readonly notes: string[];
}

function stepsFor(
  data: JsonMembers,
  namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>,
  { settings, namespace = 'default' }: InjectTextOptions,
  told: Told,
): readonly PatchStep[] {
  return objectsOf(data).flatMap(({ path, object }) => {
    const place = podPlace(object, namespace);
    if (place === undefined) return [];
    const around = {
      namespace: place.namespace,
      namespaceLabels: namespaces.get(place.namespace),
      byDefault: settings.byDefault,
    };
    const { body, outcome, notes } = injectPod(place, around, settings);
    told[outcome] += 1;
    told.notes.push(...notes);
    return patchOf(place.body, body).map((step) => ({
      ...step,
      path: [...path, ...place.path, ...step.path],
    }));
  });
}

/** Of the two parts that injection changes. A template without metadata gets one. */
function patchOf(before: PodBody, after: PodBody): readonly PatchStep[] {
  const asJson = ({ metadata, spec }: PodBody): JsonMembers =>
    Object.keys(metadata).length === 0 ? { spec } : { metadata, spec };
  return jsonPatch(asJson(before), asJson(after));
}

interface ManifestDocument {
  readonly data: JsonMembers;
  readonly changed: (steps: readonly PatchStep[]) => string;
}

/** The documents of a text, each with its own piece of it: a line that begins with `---` begins another. */
function documentsOf(file: string, text: string, problems: string[]): readonly ManifestDocument[] {
  const starts = [
    0,
    ...[...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index).filter((at) => at > 0),
  ];
  return starts.map((start, at) => {
    const piece = text.slice(start, starts[at + 1]);
    const lines = new LineCounter();
    const document = parseDocument(piece, { lineCounter: lines, prettyErrors: false, merge: true });
    const before = text.slice(0, start).split('\n').length - 1;
    for (const { pos, message } of document.errors)
      problems.push(`${file}:${before + lines.linePos(pos[0]).line}: ${message}`);
    const data: unknown = document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 });
    return {
      data: isMembers(data) ? data : {},
      changed: (steps) => (steps.length === 0 ? piece : written(document, piece, steps)),
    };
  });
}

function written(document: Document, piece: string, steps: readonly PatchStep[]): string {
  const isJson = piece.trimStart().startsWith('{') && readsAsJson(piece);
  editDocument(document, steps);
  if (isJson) return `${JSON.stringify(document.toJS() as Json, undefined, 2)}\n`;
  const text = document.toString({ lineWidth: 0, indentSeq: indentsLists(piece) });
  // The marker that begins the document belongs to it; a marker that ends the piece would begin one too many.
  const marked = /^---(?=\s|$)/.test(piece) && !/^---(?=\s|$)/m.test(text) ? `---\n${text}` : text;
  return marked.endsWith('\n') ? marked : `${marked}\n`;
}

/** Whether items of a list are deeper than its key, as in most of the text. */
function indentsLists(piece: string): boolean {
  const lines = piece.split('\n').filter((line) => !/^\s*(?:#|$)/.test(line));
  let more = 0;
  for (const [at, line] of lines.entries()) {
    const [, key] = /^((?: |- )*)[\w./-]+:\s*(?:#.*)?$/.exec(line) ?? [];
    const [, item] = /^( *)- /.exec(lines[at + 1] ?? '') ?? [];
    if (key !== undefined && item !== undefined) more += item.length > key.length ? 1 : -1;
  }
  return more >= 0;
}

function readsAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
