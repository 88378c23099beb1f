import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJunit } from './h2spec.ts';

const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="3.5. HTTP/2 Connection Preface" package="http2/3.5" id="3.5" tests="4" skipped="1" failures="1" errors="0">
    <testcase package="http2/3.5" classname="Sends client connection preface" time="0.0020"></testcase>
    <testcase package="http2/3.5" classname="Sends &#34;invalid&#34; preface" time="0.0010">
      <failure>GOAWAY Frame (Error Code: PROTOCOL_ERROR)&#xA;Connection closed</failure>
      <error>Timeout &lt;1s&gt;</error>
    </testcase>
    <testcase package="http2/3.5" classname="Left out" time="0"><skipped></skipped></testcase>
    <testcase package="http2/3.5" classname="Short" time="0"/>
  </testsuite>
</testsuites>`;

test('each case of the report is a result, with the reason of a failure', () => {
  const results = parseJunit(report, '1.2.3');
  assert.deepEqual(
    results.map(({ case: name, status, detail }) => [name, status, detail]),
    [
      ['http2/3.5: Sends client connection preface', 'pass', undefined],
      [
        'http2/3.5: Sends "invalid" preface',
        'fail',
        'GOAWAY Frame (Error Code: PROTOCOL_ERROR) Connection closed Timeout <1s>',
      ],
      ['http2/3.5: Left out', 'skipped', undefined],
      ['http2/3.5: Short', 'pass', undefined],
    ],
  );
  assert.ok(results.every(({ backend, version }) => backend === 'h2spec' && version === '1.2.3'));
});

test('a report without cases has no results', () => {
  assert.deepEqual(parseJunit('<testsuites></testsuites>', ''), []);
});
