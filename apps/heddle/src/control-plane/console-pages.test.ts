import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { foreignPages, frameOrigins } from './console-pages.ts';

test('pages of other tools: what is not given has its default, and frames come from their origins alone', () => {
  const pages = foreignPages({
    HEDDLE_CONSOLE_PAGES: JSON.stringify([
      { name: 'grafana', title: 'Grafana', url: 'https://grafana.example/d/abc?kiosk' },
      {
        name: 'consul',
        title: 'Consul',
        url: 'http://consul:8500/ui',
        role: 'admin',
        health: 'http://consul:8500/v1/status/leader',
      },
      { name: 'logs', title: 'Logs', url: 'https://grafana.example/explore' },
    ]),
  });
  assert.deepEqual(pages[0], {
    name: 'grafana',
    title: 'Grafana',
    url: 'https://grafana.example/d/abc?kiosk',
    role: 'viewer',
    health: 'https://grafana.example/d/abc?kiosk',
  });
  assert.deepEqual(frameOrigins(pages), ['https://grafana.example', 'http://consul:8500']);
  assert.deepEqual(foreignPages({}), []);
});

test('everything that is wrong is told at once; a script, a password and an unknown key are', () => {
  const wrong = [
    { name: 'A b', title: '', url: 'javascript:alert(1)', role: 'king' },
    { name: 'x', title: 'X', url: 'http://me:secret@tool/', colour: 'red' },
    { name: 'x', title: 'X', url: 'http://tool/' },
  ];
  assert.throws(
    () => foreignPages({ HEDDLE_CONSOLE_PAGES: JSON.stringify(wrong) }),
    (thrown: unknown) => {
      assert.ok(thrown instanceof HeddleError);
      for (const part of [
        '[0].name',
        '[0].title',
        '[0].url',
        '[0].role',
        '[1].url',
        '[1]: unknown "colour"',
        '"x" is given twice',
      ])
        assert.ok(thrown.message.includes(part), part);
      return true;
    },
  );
  assert.throws(() => foreignPages({ HEDDLE_CONSOLE_PAGES: '{' }), /no JSON/);
});
