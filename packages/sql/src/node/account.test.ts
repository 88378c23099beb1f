import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePasswd } from './account.ts';

const passwd = `root:x:0:0:root:/root:/bin/bash
nobody2:x:5:6:like it:/:/bin/sh
nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin
`;

test('parsePasswd finds the exact name', () => {
  assert.deepEqual(parsePasswd(passwd, 'nobody'), { uid: 65534, gid: 65533 });
  assert.equal(parsePasswd(passwd, 'postgres'), undefined);
  assert.equal(parsePasswd('', 'nobody'), undefined);
});

test('parsePasswd reads the negative ids of macOS as the system calls do', () => {
  assert.deepEqual(parsePasswd('nobody:*:-2:-2:Unprivileged:/var/empty:/usr/bin/false', 'nobody'), {
    uid: 4294967294,
    gid: 4294967294,
  });
});
