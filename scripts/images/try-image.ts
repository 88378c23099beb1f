// What an image has to do before anyone runs it: its programs start as an ordinary user, answer, and end when they are told to.
import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Buildah } from './buildah.ts';
import { freePort } from '../engines/running.ts';

const limitMs = 240_000;

/** Starts the control plane of an image, asks it, stops it. Gives a line for each thing that was seen; throws at the first that is wrong. */
export async function tryImage(buildah: Buildah, image: string): Promise<string[]> {
  const config = buildah.config(image);
  const [uid = ''] = config.User.split(':');
  if (Number(uid) < 1000)
    throw new Error(`the image runs as "${config.User}", expected the number of an ordinary user`);
  const container = buildah.run('from', image);
  try {
    const port = await freePort();
    const secret = randomBytes(32).toString('hex');
    const started = buildah.start(
      container,
      config,
      ['control-plane', '--host', '127.0.0.1', '--port', String(port), '--data', '/data'],
      { HEDDLE_REGISTRY_TOKEN: secret, HEDDLE_ADMIN_TOKEN: secret, HEDDLE_CONSOLE_PASSWORD: secret },
    );
    try {
      return [`shell, package manager: ${shellsIn(buildah, container)}`, ...(await seen(started, port, uid))];
    } finally {
      if (started.exitCode === null && started.pid !== undefined) process.kill(-started.pid, 'SIGKILL');
    }
  } finally {
    buildah.run('rm', container);
  }
}

async function seen(started: ChildProcess, port: number, uid: string): Promise<string[]> {
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}/metrics`, started);
  const pid = programOn(port);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, real = ''] = /^Uid:\t(\d+)/m.exec(status) ?? [];
  if (real !== uid) throw new Error(`the program runs as user ${real}, expected ${uid}`);
  const page = await fetch(`${url}/`);
  const html = await page.text();
  if (!page.ok || !html.includes('<script'))
    throw new Error(`the console answers ${page.status}: ${html.slice(0, 200)}`);
  const ended = once(started, 'close');
  process.kill(pid, 'SIGTERM');
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`told to end, it ended with ${code}, expected 0`);
  return [`user ${real}`, 'GET /metrics 200', `GET / 200, the console's page`, 'SIGTERM: ended with 0'];
}

/** Waits until it answers. Throws with what it printed if it ends before that, or does not come. */
async function answering(url: string, started: ChildProcess): Promise<void> {
  let printed = '';
  for (const stream of [started.stdout, started.stderr])
    stream?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  const from = performance.now();
  while (performance.now() - from < limitMs) {
    if (started.exitCode !== null) throw new Error(`it ended with ${started.exitCode}:\n${printed}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    await wait(200);
  }
  throw new Error(`${url} does not answer within ${limitMs / 1000} s:\n${printed}`);
}

/** The process that was started with a port, and not those around it. */
function programOn(port: number): number {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  const own = lines.find(
    (line) => /^\s*\d+ \/usr\/local\/bin\/node /.test(line) && line.includes(`--port ${port}`),
  );
  if (own === undefined) throw new Error(`no process was started with port ${port}`);
  return Number.parseInt(own, 10);
}

function shellsIn(buildah: Buildah, container: string): string {
  const folder = buildah.run('mount', container);
  const found = execFileSync(
    'find',
    [
      folder,
      '-maxdepth',
      '4',
      '(',
      '-name',
      'sh',
      '-o',
      '-name',
      'bash',
      '-o',
      '-name',
      'npm',
      '-o',
      '-name',
      'apt',
      ')',
      '-not',
      '-type',
      'd',
      '-not',
      '-path',
      '*/heddle/*',
    ],
    { encoding: 'utf8' },
  ).trim();
  if (found !== '') throw new Error(`the image has ${found}, expected Node alone`);
  return 'none';
}
