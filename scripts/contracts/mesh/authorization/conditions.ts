// The attributes of `when`.
import { account, allow, type CaseGroup, deny, group } from './case.ts';

const page = 'reference/config/security/conditions';
const when = (key: string, rest: string): string => allow(`{when: [{key: "${key}", ${rest}}]}`);

/** Groups about conditions. */
export const conditions: readonly CaseGroup[] = [
  group('a header exactly', page, when('request.headers[X-Team]', 'values: [blue]'), [
    [{ headers: { 'x-team': 'blue' } }, 'allow'],
    [{ headers: { 'x-team': 'Blue' } }, 'deny'],
    [{ headers: { 'x-team': 'blue2' } }, 'deny'],
    [{}, 'deny'],
  ]),
  group(
    'a header by its beginning, its end, its presence',
    page,
    allow(
      '{when: [{key: "request.headers[user-agent]", values: ["Mozilla/*"]}, {key: "request.headers[x-a]", values: ["*z"]}, {key: "request.headers[x-b]", values: ["*"]}]}',
    ),
    [
      [{ headers: { 'user-agent': 'Mozilla/5', 'x-a': 'az', 'x-b': '1' } }, 'allow'],
      [{ headers: { 'user-agent': 'curl', 'x-a': 'az', 'x-b': '1' } }, 'deny'],
      [{ headers: { 'user-agent': 'Mozilla/5', 'x-a': 'za', 'x-b': '1' } }, 'deny'],
      [{ headers: { 'user-agent': 'Mozilla/5', 'x-a': 'az' } }, 'deny'],
    ],
  ),
  group(
    'notValues of a header also means those without it',
    page,
    when('request.headers[x-team]', 'notValues: [red]'),
    [
      [{ headers: { 'x-team': 'blue' } }, 'allow'],
      [{ headers: { 'x-team': 'red' } }, 'deny'],
      [{}, 'allow'],
    ],
  ),
  group(
    'notValues [""] lets nearly everything through',
    page,
    when('request.headers[x-user-id]', 'notValues: [""]'),
    [
      [{ headers: { 'x-user-id': '7' } }, 'allow'],
      [{}, 'allow'],
    ],
  ),
  group(
    'values and notValues of one key',
    page,
    when('request.headers[x-team]', 'values: ["b*"], notValues: [bad]'),
    [
      [{ headers: { 'x-team': 'blue' } }, 'allow'],
      [{ headers: { 'x-team': 'bad' } }, 'deny'],
      [{ headers: { 'x-team': 'red' } }, 'deny'],
    ],
  ),
  group(
    'all conditions must hold',
    page,
    allow(
      '{when: [{key: "request.headers[a]", values: ["1"]}, {key: "request.headers[b]", values: ["2", "3"]}]}',
    ),
    [
      [{ headers: { a: '1', b: '3' } }, 'allow'],
      [{ headers: { a: '1' } }, 'deny'],
      [{ headers: { b: '2' } }, 'deny'],
    ],
  ),
  group('source.ip', page, when('source.ip', 'values: ["10.1.2.3", "10.2.0.0/16"]'), [
    [{}, 'allow'],
    [{ sourceIp: '10.2.9.9' }, 'allow'],
    [{ sourceIp: '10.3.0.1' }, 'deny'],
  ]),
  group('remote.ip', page, when('remote.ip', 'values: ["198.51.100.0/24"]'), [
    [{ remoteIp: '198.51.100.9' }, 'allow'],
    [{ remoteIp: '203.0.113.9' }, 'deny'],
  ]),
  group('source.namespace', page, when('source.namespace', 'values: [default]'), [
    [{}, 'allow'],
    [{ principal: account('other', 'x') }, 'deny'],
    [{ principal: '' }, 'deny'],
  ]),
  group(
    'source.principal',
    page,
    when('source.principal', 'notValues: ["cluster.local/ns/default/sa/sleep"]'),
    [
      [{}, 'deny'],
      [{ principal: account('default', 'web') }, 'allow'],
    ],
  ),
  group('source.serviceAccount', page, when('source.serviceAccount', 'values: ["default/sleep"]'), [
    [{}, 'allow'],
    [{ principal: account('default', 'web') }, 'deny'],
  ]),
  group('destination.ip', page, when('destination.ip', 'values: ["10.9.0.0/24"]'), [
    [{}, 'allow'],
    [{ destinationIp: '10.10.0.1' }, 'deny'],
  ]),
  group('destination.port', page, when('destination.port', 'values: ["8080"]'), [
    [{}, 'allow'],
    [{ port: 9090 }, 'deny'],
    [{ tcp: true }, 'allow'],
  ]),
  group('connection.sni', page, when('connection.sni', 'values: ["www.example.com", "*.shop.example"]'), [
    [{ sni: 'www.example.com' }, 'allow'],
    [{ sni: 'a.shop.example' }, 'allow'],
    [{ sni: 'example.com' }, 'deny'],
    [{}, 'deny'],
  ]),
  group(
    'a key that does not exist makes the rule one that never matches',
    page,
    allow('{when: [{key: "source.mood", values: ["*"]}]}'),
    [[{}, 'deny']],
  ),
  group(
    'a DENY rule with a key that does not exist never matches either',
    page,
    deny('{when: [{key: "source.mood", values: ["*"]}]}'),
    [[{}, 'allow']],
  ),
];
