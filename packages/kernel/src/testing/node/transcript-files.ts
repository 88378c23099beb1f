import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Command, runTranscript } from '../transcript.ts';

/**
 * Declares a test for each transcript (`*.txt`) in `folder`; each runs on a stage of its own, which executes the
 * commands. HEDDLE_REWRITE=1 writes what really happened into the files: to be committed only if one knows why it
 * changed.
 */
export function testTranscripts(folder: string, makeStage: () => (command: Command) => string): void {
  const rewrite = process.env['HEDDLE_REWRITE'] === '1';
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.txt'))) {
    test(`transcript ${name}`, () => {
      const file = path.join(folder, name);
      const text = readFileSync(file, 'utf8');
      const actual = runTranscript(text, makeStage());
      if (rewrite) writeFileSync(file, actual);
      else assert.equal(actual, text);
    });
  }
}
