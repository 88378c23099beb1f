import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createClient } from '@connectrpc/connect';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport } from './client/create-transport.ts';
import { EchoService } from './gen/heddle/testing/v1/echo_pb.ts';
import { until } from './testing/wait.ts';

const runtime = nodeRuntime({ name: 'kill', logLevel: 'error' });
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

async function startProcess(name: string): Promise<{ child: ChildProcess; port: number }> {
  const file = fileURLToPath(new URL('./testing/echo-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@heddle/source', file, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  assert.ok(child.stdout !== null);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, port: Number(line.toString()) };
}

test('kill -9 of one of two under load: no idempotent call fails, and none with an effect is repeated', {
  timeout: 60_000,
}, async () => {
  const [first, second] = [await startProcess('a'), await startProcess('b')];
  const transport = createTransport({
    runtime,
    target: `static:///127.0.0.1:${first.port},127.0.0.1:${second.port}`,
  });
  const echo = createClient(EchoService, transport);
  const answered = new Map<string, number>();
  const failures = { echo: [] as unknown[], append: [] as unknown[] };
  let going = true;
  const caller = async (kind: 'echo' | 'append'): Promise<void> => {
    while (going) {
      try {
        const { instance } = await echo[kind]({ text: 'x', delayMs: 3 });
        answered.set(instance, (answered.get(instance) ?? 0) + 1);
      } catch (error) {
        failures[kind].push(error);
      }
    }
  };
  const callers = [
    ...Array.from({ length: 16 }, () => caller('echo')),
    ...Array.from({ length: 4 }, () => caller('append')),
  ];
  await until(() => (answered.get('a') ?? 0) > 100 && (answered.get('b') ?? 0) > 100);
  const exited = once(first.child, 'exit');
  first.child.kill('SIGKILL');
  await exited;
  const before = answered.get('b') ?? 0;
  await until(() => (answered.get('b') ?? 0) > before + 300);
  going = false;
  await Promise.all(callers);
  transport.close();
  assert.deepEqual(failures.echo, []);
  // What was in flight on the killed one may have happened: it must fail rather than be done twice.
  assert.ok(failures.append.length <= 4, `${failures.append.length} failed`);
  for (const error of failures.append) {
    assert.ok(error instanceof HeddleError && error.code === 'unavailable' && error.sent, String(error));
  }
});
