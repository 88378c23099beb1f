// The config centre in git: a bare repository for each case.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GitStore } from '@heddle/config';
import type { Contract } from '../result.ts';
import { configContract } from './suite.ts';
import { quietRuntime, stageOf } from './stage.ts';

const reason = 'a repository on disk has no server';

/** With the git of this machine. */
export const gitConfig: Contract = configContract({
  backend: 'git',
  prepare: async () => {
    try {
      return {
        version: execFileSync('git', ['--version'], { encoding: 'utf8' }).trim().replace('git version ', ''),
      };
    } catch {
      return { missing: 'git is not installed' };
    }
  },
  cannot: { faulty: reason, restart: reason },
  stage: async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'heddle-config-git-'));
    const git = (...args: readonly string[]): string =>
      execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
    git('init', '--quiet', '--bare');
    return stageOf({
      open: async () => new GitStore({ runtime: quietRuntime, folder, lookMs: 200 }),
      contents: async () => git('log', '-p', 'main'),
      end: async () => rmSync(folder, { recursive: true }),
    });
  },
  end: async () => {},
});
