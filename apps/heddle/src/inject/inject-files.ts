import { injectTexts } from '@heddle/mesh/inject';
import type { Given } from '../command.ts';
import { resourceFiles } from '../commands/mesh/resource-files.ts';
import { writeTextFile } from '../node/boundaries-files.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { injectSettings } from './inject-options.ts';

/** Writes manifests with sidecars to the output, or into their own files; says of each pod that has none why. */
export async function injectFiles(given: Given, terminal: Terminal): Promise<void> {
  const namespace = given.text('namespace');
  const files = await resourceFiles(given.words);
  const { texts, injected, kept, left, notes } = injectTexts(files, {
    settings: injectSettings(given),
    ...(namespace !== undefined && { namespace }),
  });
  for (const note of notes) terminal.err(`${note}\n`);
  if (given.flag('write')) {
    for (const [at, { file, text }] of texts.entries())
      if (text !== files[at]?.text) writeTextFile(file, text, 'manifest');
  } else terminal.out(joined(texts.map(({ text }) => text)));
  terminal.err(`${injected} injected, ${kept} had it already, ${left} left as they are\n`);
}

/** One stream of documents. */
function joined(texts: readonly string[]): string {
  const [first = '', ...others] = texts.map((text) =>
    text === '' || text.endsWith('\n') ? text : `${text}\n`,
  );
  return [first, ...others.map((text) => (text.startsWith('---') ? text : `---\n${text}`))].join('');
}
