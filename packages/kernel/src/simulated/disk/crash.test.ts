import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Disk } from '../../ports/disk.ts';
import { type Death, SimulatedProcess } from '../process.ts';
import { seededRandom } from '../seeded-random.ts';
import { VirtualTime } from '../virtual-time.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('latin1');

/** Runs `program` on a disk, ends its process after `afterMs`, and gives what the next one reads of `file`. */
async function afterDeath(
  seed: number,
  death: Death,
  program: (disk: Disk) => Promise<void>,
  afterMs = 1000,
): Promise<string> {
  const time = new VirtualTime();
  const medium = new SimulatedDisk({ time, random: seededRandom(seed) });
  const process = new SimulatedProcess(time);
  void program(medium.mount(process));
  await time.advance(afterMs);
  process.end(death);
  const next = medium.mount(new SimulatedProcess(time));
  return plain(await time.run(next.read('file')));
}

const appendTwice = async (disk: Disk): Promise<void> => {
  const file = await disk.open('file');
  await file.append(text('safe,'));
  await file.sync();
  await file.append(text('first,'));
  await file.append(text('second'));
};

test('a power cut keeps what was synced, and any part of the rest, torn or followed by rubbish', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 200; seed++) outcomes.add(await afterDeath(seed, 'power', appendTwice));
  for (const outcome of outcomes) {
    assert.ok(outcome.startsWith('safe,'), outcome);
    // What comes second on the medium comes after the whole of the first.
    if (outcome.length > 'safe,first,'.length) assert.ok(outcome.startsWith('safe,first,'), outcome);
  }
  for (const wanted of ['safe,', 'safe,first,', 'safe,first,second', 'safe,fi']) {
    assert.ok(outcomes.has(wanted), wanted);
  }
  assert.ok(
    [...outcomes].some((outcome) => outcome.includes('\0')),
    'length without content',
  );
});

test('a killed process loses nothing that was written', async () => {
  for (let seed = 0; seed < 20; seed++) {
    assert.equal(await afterDeath(seed, 'killed', appendTwice), 'safe,first,second');
  }
});

test('a replacement is there or not, never half', async () => {
  const outcomes = new Set<string>();
  const program = async (disk: Disk): Promise<void> => {
    await disk.replace('file', text('old'));
    await disk.replace('file', text('new content'));
  };
  for (let seed = 0; seed < 100; seed++) outcomes.add(await afterDeath(seed, 'power', program, 0.6));
  for (const outcome of outcomes) assert.ok(['', 'old', 'new content'].includes(outcome), outcome);
  assert.ok(outcomes.has('old') && outcomes.has('new content'));
  assert.equal(await afterDeath(1, 'power', program), 'new content');
});

test('a truncation that was not synced may come undone', async () => {
  const outcomes = new Set<string>();
  const program = async (disk: Disk): Promise<void> => {
    const file = await disk.open('file');
    await file.append(text('good,torn'));
    await file.sync();
    await file.truncate(5);
  };
  for (let seed = 0; seed < 40; seed++) outcomes.add(await afterDeath(seed, 'power', program));
  assert.deepEqual([...outcomes].toSorted(), ['good,', 'good,torn']);
});

test('an operation that was under way when its process died is done, undone or done in part', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const time = new VirtualTime();
    const medium = new SimulatedDisk({ time, random: seededRandom(seed) });
    const process = new SimulatedProcess(time);
    const file = await time.run(medium.mount(process).open('file'));
    medium.operationMs = 100;
    let settled = false;
    void file.append(text('0123456789')).finally(() => {
      settled = true;
    });
    await time.advance(1);
    process.end('killed');
    await time.advance(1000);
    assert.equal(settled, false, 'nobody is there to hear of it');
    outcomes.add(plain(await time.run(medium.mount(new SimulatedProcess(time)).read('file'))));
  }
  assert.ok(outcomes.size > 3, [...outcomes].join(' '));
  for (const outcome of outcomes) assert.ok('0123456789'.startsWith(outcome), outcome);
});

test('a full disk refuses, keeps what it has, and goes on when there is room', async () => {
  const time = new VirtualTime();
  const medium = new SimulatedDisk({ time, random: seededRandom(1) });
  const disk = medium.mount(new SimulatedProcess(time));
  await time.run(
    (async () => {
      medium.capacityBytes = 20;
      await disk.replace('kept', text('0123456789'));
      await assert.rejects(disk.replace('kept', text('abcdefghijk')), {
        code: 'resource_exhausted',
        reason: 'DISK_FULL',
      });
      assert.equal(plain(await disk.read('kept')), '0123456789');
      const file = await disk.open('log');
      await assert.rejects(file.append(text('more than fits')), { reason: 'DISK_FULL' });
      assert.equal(file.size, 0);
      medium.capacityBytes = 100;
      await file.append(text('fits'));
      assert.equal(file.size, 4);
      // The rest of the failed write is still there: a torn record, as on a real disk.
      assert.equal(plain(await disk.read('log')), 'fits than ');
    })(),
  );
});

test('a slow disk takes its time', async () => {
  const time = new VirtualTime();
  const medium = new SimulatedDisk({ time, random: seededRandom(1) });
  medium.operationMs = 100;
  const start = time.clock.nowMs();
  await time.run(medium.mount(new SimulatedProcess(time)).replace('file', text('x')));
  assert.ok(time.clock.nowMs() - start >= 400);
});
