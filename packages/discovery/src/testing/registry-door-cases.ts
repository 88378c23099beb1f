import assert from 'node:assert/strict';
import type { HeddleError } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';
import { type RegistryCase, user, userIds } from './registry-cases.ts';
import { type RegistryDoor, type RegistryStage, seenWithin, until } from './registry-stage.ts';
import { recordWatch } from './watch-record.ts';

/** Through the door, everything works. */
async function letsIn(stage: RegistryStage, door: RegistryDoor): Promise<void> {
  const [writer, reader] = [await door.right(), await door.right()];
  try {
    const watch = recordWatch(reader, 'users');
    const held = await writer.register(user('a'));
    // A server that has just started may take longer for the first request than a deadline or a short lease lasts.
    const isIn = (): boolean => held.registered;
    await until(stage.runtime, 'a is registered', 30_000, isIn).catch((late: Error) => {
      throw held.problem ?? late;
    });
    await until(stage.runtime, 'a is seen', 2000 + seenWithin(stage), () => watch.ids === 'a');
    await writer.deregister('users', 'a');
    await until(stage.runtime, 'a has gone', seenWithin(stage), () => watch.ids === '');
    await watch.stop();
  } finally {
    await Promise.all([writer.close(), reader.close()]);
  }
}

/** Whoever may not enter can neither read nor write, and is told why. */
async function keepsOut(registry: Registry, codes: readonly string[]): Promise<string> {
  const read = await userIds(registry).then(
    (ids) => assert.fail(`it could read, and saw “${ids}”`),
    (error: HeddleError) => error,
  );
  assert.ok(codes.includes(read.code), `reading: ${read.code}: ${read.message}`);
  const held = await registry.register(user('b'));
  const { problem } = held;
  assert.equal(held.registered, false);
  assert.ok(problem !== undefined && codes.includes(problem.code), `writing: ${problem?.message}`);
  return `${read.code} / ${read.reason}`;
}

async function passDoor(
  stage: RegistryStage,
  make: (() => Promise<RegistryDoor>) | undefined,
  codes: readonly string[],
): Promise<string> {
  assert.ok(make !== undefined, 'a case ran without the door that it needs');
  const door = await make();
  await letsIn(stage, door);
  const told: string[] = [];
  const wrong = Object.entries(await door.wrong());
  try {
    for (const [what, registry] of wrong) told.push(`${what}: ${await keepsOut(registry, codes)}`);
  } finally {
    await Promise.all(wrong.map(([, registry]) => registry.close()));
  }
  return told.join('; ');
}

/** The ways into a backend. */
export const doorCases: readonly RegistryCase[] = [
  {
    name: 'auth on: who may is served, all others are refused and told why',
    needs: ['auth'],
    run: (stage) => passDoor(stage, stage.doors?.auth, ['unauthenticated', 'permission_denied']),
  },
  {
    name: 'TLS on: who trusts and is trusted is served, all others are refused',
    needs: ['tls'],
    // Who speaks no TLS, or is hung up on in the handshake, can only be told that the connection broke.
    run: (stage) =>
      passDoor(stage, stage.doors?.tls, ['unauthenticated', 'unavailable', 'deadline_exceeded']),
  },
  {
    name: 'the server is reached by IPv6',
    needs: ['ipv6'],
    run: (stage) => passDoor(stage, stage.doors?.ipv6, []),
  },
];
