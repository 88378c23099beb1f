import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '../error.ts';
import type { AppendFile, Disk } from '../ports/disk.ts';
import type { RunWork } from './subject.ts';

/** What `diskContract` runs on: an empty disk. */
export interface DiskSubject {
  readonly disk: Disk;
  readonly run: RunWork;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

/** What a disk must do as long as it has power. `make` is asked once for each test. */
export function diskContract(name: string, make: () => Promise<DiskSubject>): void {
  const check = (what: string, body: (disk: Disk) => Promise<void>): void => {
    test(what, async () => {
      const { disk, run } = await make();
      await run(() => body(disk));
    });
  };
  describe(`disk: ${name}`, () => {
    wholeFiles(check);
    appending(check);
    names(check);
  });
}

type Check = (what: string, body: (disk: Disk) => Promise<void>) => void;

function wholeFiles(check: Check): void {
  check('what is not there reads as undefined, is listed as nothing, and can be removed', async (disk) => {
    assert.equal(await disk.read('none'), undefined);
    assert.equal(await disk.read('no/such/file'), undefined);
    assert.deepEqual(await disk.list('no/such/folder'), []);
    assert.deepEqual(await disk.list(''), []);
    await disk.remove('none');
    await disk.remove('no/such/file');
  });

  check('replace makes a file and its folders, and replaces all of it', async (disk) => {
    await disk.replace('a/b/c', text('a longer text'));
    assert.equal(plain(await disk.read('a/b/c')), 'a longer text');
    await disk.replace('a/b/c', text('short'));
    assert.equal(plain(await disk.read('a/b/c')), 'short');
    await disk.replace('a/b/c', new Uint8Array(0));
    assert.equal(plain(await disk.read('a/b/c')), '');
  });

  check('two at once on one path leave one of the two, whole', async (disk) => {
    const contents = Array.from({ length: 8 }, (_, index) => String(index).repeat(20_000 + index * 1000));
    await Promise.all(contents.map((content) => disk.replace('same', text(content))));
    const found = plain(await disk.read('same')) ?? '';
    assert.ok(contents.includes(found), `${found.length} bytes that nobody wrote`);
    assert.deepEqual(await disk.list('.'), ['same']);
  });

  check('what was read is a copy', async (disk) => {
    await disk.replace('file', text('one'));
    (await disk.read('file'))?.fill(0);
    assert.equal(plain(await disk.read('file')), 'one');
  });

  check('remove takes a file away', async (disk) => {
    await disk.replace('folder/one', text('1'));
    await disk.replace('folder/two', text('2'));
    await disk.remove('folder/one');
    assert.equal(await disk.read('folder/one'), undefined);
    assert.deepEqual(await disk.list('folder'), ['two']);
  });
}

function appending(check: Check): void {
  check('a file grows by what is appended, and goes on where it was', async (disk) => {
    const first = await disk.open('logs/one');
    assert.equal(first.size, 0);
    await first.append(text('one,'));
    await first.append(new Uint8Array(0));
    await first.append(text('two,'));
    assert.equal(first.size, 8);
    await first.sync();
    await first.close();
    const again = await disk.open('logs/one');
    assert.equal(again.size, 8);
    await again.append(text('three'));
    assert.equal(again.size, 13);
    assert.equal(plain(await disk.read('logs/one')), 'one,two,three');
    await again.close();
  });

  check('what was appended may be changed afterwards', async (disk) => {
    const file = await disk.open('log');
    const bytes = text('same');
    await file.append(bytes);
    bytes.fill(0);
    assert.equal(plain(await disk.read('log')), 'same');
    await file.close();
  });

  check('truncate cuts the end off, and appending goes on from there', async (disk) => {
    const file = await disk.open('log');
    await file.append(text('good,torn'));
    await file.truncate(5);
    assert.equal(file.size, 5);
    await file.append(text('new'));
    assert.equal(plain(await disk.read('log')), 'good,new');
    await file.truncate(0);
    assert.equal(plain(await disk.read('log')), '');
    await file.close();
  });

  check('a closed file refuses', async (disk) => {
    const file: AppendFile = await disk.open('log');
    await file.close();
    await rejects(file.append(text('late')), 'internal');
    await rejects(file.sync(), 'internal');
    assert.equal(plain(await disk.read('log')), '');
  });
}

function names(check: Check): void {
  check('list gives the files of one folder, sorted, without its folders', async (disk) => {
    for (const path of ['f/b', 'f/a', 'f/c/deep', 'f/10', 'f/9', 'top']) await disk.replace(path, text(path));
    await (await disk.open('f/open')).close();
    assert.deepEqual(await disk.list('f'), ['10', '9', 'a', 'b', 'open']);
    assert.deepEqual(await disk.list('f/'), ['10', '9', 'a', 'b', 'open']);
    assert.deepEqual(await disk.list('f/c'), ['deep']);
    assert.deepEqual(await disk.list(''), ['top']);
  });

  check('different spellings of one path are one file', async (disk) => {
    await disk.replace('./x//y/../z', text('here'));
    assert.equal(plain(await disk.read('x/z')), 'here');
    await disk.replace('..name', text('dots are fine'));
    assert.equal(plain(await disk.read('..name')), 'dots are fine');
  });

  check('a path that leaves the root is refused by everything', async (disk) => {
    for (const path of ['../out', 'a/../../out', '/etc/passwd', '..', 'nul\0byte']) {
      await rejects(disk.read(path), 'invalid_argument', 'PATH_OUTSIDE_ROOT');
      await rejects(disk.replace(path, text('x')), 'invalid_argument', 'PATH_OUTSIDE_ROOT');
      await rejects(disk.open(path), 'invalid_argument', 'PATH_OUTSIDE_ROOT');
      await rejects(disk.list(path), 'invalid_argument', 'PATH_OUTSIDE_ROOT');
      await rejects(disk.remove(path), 'invalid_argument', 'PATH_OUTSIDE_ROOT');
    }
  });

  check('a folder is not a file', async (disk) => {
    await disk.replace('folder/file', text('x'));
    await rejects(disk.read('folder'), 'internal');
    await rejects(disk.replace('folder', text('y')), 'internal');
    await rejects(disk.open('folder'), 'internal');
    assert.deepEqual(await disk.list('folder'), ['file']);
  });
}

async function rejects(work: Promise<unknown>, code: HeddleError['code'], reason?: string): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof HeddleError, String(error));
    assert.ok(error.is(code, reason), `${error.code} ${error.reason}: ${error.message}`);
    return true;
  });
}
