#!/usr/bin/env node
// The command in the folder where it is called: `npm link` in a clone puts it on the PATH as `heddle`.
import process from 'node:process';

process.env.HEDDLE_FOLDER = process.cwd();
process.argv.splice(2, 0, 'apps/heddle/src/main.ts');
await import('../scripts/run.mjs');
