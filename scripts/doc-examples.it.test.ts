// Runs every `ts run` block of README.md and docs/ as a program, and holds the page to the output that it shows.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { docExamples } from './doc-examples.ts';
import { repositoryFiles, root } from './files.ts';

const run = promisify(execFile);
const pages = repositoryFiles().filter((file) =>
  /^(README[^/]*|docs\/.+|packages\/[^/]+\/README)\.md$/.test(file),
);

for (const page of pages) {
  const examples = docExamples(readFileSync(path.join(root, page), 'utf8'));
  if (examples.length === 0) continue;
  describe(page, () => {
    for (const { line, code, output } of examples) {
      test(`the example of line ${line}`, async () => {
        // Within the repository, so that its imports are resolved as a reader's would be.
        const file = path.join(root, 'docs', `.example-${process.pid}-${line}.ts`);
        writeFileSync(file, code);
        try {
          const { stdout } = await run(process.execPath, ['--conditions=@heddle/source', file], {
            timeout: 180_000,
          });
          if (output !== undefined) assert.equal(stdout, output);
        } finally {
          rmSync(file);
        }
      });
    }
  });
}
