import { type Document, isMap, isScalar, parseAllDocuments } from 'yaml';
import type { ConfigDocument } from '../model/gateway-config.ts';

/** The files of a version as they may be shown to operators: without the values of Secrets. */
export function shownDocuments(documents: readonly ConfigDocument[]): ConfigDocument[] {
  return documents.map(({ source, content }) => ({ source, content: shown(content) }));
}

function shown(content: string): string {
  if (!/\bSecret\b/.test(content)) return content;
  const parsed = parseAllDocuments(content, { prettyErrors: false });
  const all = Array.isArray(parsed) ? parsed : [];
  // What cannot be read may be a Secret all the same.
  if (all.some(({ errors }) => errors.length > 0)) return '…';
  if (!all.some(isSecretDocument)) return content;
  for (const each of all.filter(isSecretDocument)) for (const key of ['data', 'stringData']) hide(each, key);
  return all.map(String).join('');
}

function isSecretDocument(document: Document): boolean {
  return document.get('kind') === 'Secret';
}

function hide(document: Document, key: string): void {
  const values = document.get(key);
  if (isMap(values)) {
    for (const { key: name } of values.items) values.set(isScalar(name) ? name.value : name, '…');
  } else if (values !== undefined) document.set(key, '…');
}
