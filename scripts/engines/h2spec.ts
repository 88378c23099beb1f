// h2spec, the conformance suite of HTTP/2 servers: found, or installed where Go is.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const module = 'github.com/summerwind/h2spec/cmd/h2spec@latest';
const installLimitMs = 300_000;

/**
 * The path of the h2spec binary: from PATH, from Go's folder of binaries, or installed there by `go install`.
 * Undefined where it cannot be had; `tell` then hears why, loudly enough for a test that is skipped for it.
 */
export function h2spec(tell: (why: string) => void = (why) => console.error(why)): string | undefined {
  const installed = find('h2spec', [join(homedir(), 'go/bin')]);
  if (installed !== undefined) return installed;
  const go = find('go', ['/usr/local/go/bin', '/usr/lib/go/bin']);
  if (go === undefined) {
    tell('SKIPPED: h2spec is not installed, and without Go it cannot be');
    return undefined;
  }
  const { status, stderr } = spawnSync(go, ['install', module], {
    encoding: 'utf8',
    timeout: installLimitMs,
  });
  const binary = find('h2spec', [join(homedir(), 'go/bin')]);
  if (binary === undefined) tell(`SKIPPED: go install ${module} gave ${status}: ${stderr.slice(-500)}`);
  return binary;
}

function find(name: string, folders: readonly string[]): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  return [...path, ...folders].map((folder) => join(folder, name)).find((file) => existsSync(file));
}
