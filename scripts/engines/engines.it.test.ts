// Every engine that can be had does something real here.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isMissing, obtain } from './engine.ts';
import { engines } from './engines.ts';
import { nginx, nginxHttpProxy } from './nginx.ts';
import { freePlace, startServer } from './running.ts';

describe('engines', () => {
  for (const engine of engines) {
    // The first time includes downloads and builds, which have limits of their own.
    it(`${engine.name} works`, { timeout: 600_000 }, async (t) => {
      const found = await obtain(engine);
      if (isMissing(found)) t.skip(found.missing);
      else await engine.verify(found);
    });
  }
});

describe('a server', () => {
  it('that ends at once is reported with its last words', async () => {
    const address = await freePlace();
    const start = { name: 'talker', command: '/bin/sh', args: ['-c', 'echo no such luck; exit 3'], address };
    await assert.rejects(startServer(start), /talker ended at once:\nno such luck/);
  });

  it('that is never ready is stopped', async () => {
    const address = await freePlace();
    let pid = 0;
    const start = {
      name: 'sleeper',
      command: '/bin/sleep',
      args: ['60'],
      address,
      timeoutMs: 100,
      ready: (running: { readonly pid: number }) => {
        pid = running.pid;
        return false;
      },
    };
    await assert.rejects(startServer(start), /sleeper is not ready in time/);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  it('is gone with its port when it has been stopped, twice if need be', async (t) => {
    const found = await obtain(nginx);
    if (isMissing(found)) {
      t.skip(found.missing);
      return;
    }
    const running = await nginx.start({ http: nginxHttpProxy({ host: '127.0.0.1', port: 1 }) });
    const url = `http://127.0.0.1:${running.address.port}/`;
    const answer = await fetch(url);
    assert.equal(answer.status, 502);
    await answer.arrayBuffer();
    await running.stop();
    await running.stop();
    assert.throws(() => process.kill(running.pid, 0), { code: 'ESRCH' });
    await assert.rejects(fetch(url));
  });
});
