import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from './call.ts';
import { type Layer, type Service, stack } from './service.ts';
import { bareRuntime } from './simulated/bare-runtime.ts';
import { VirtualTime } from './simulated/virtual-time.ts';

const call = Call.root(bareRuntime(new VirtualTime()));
const echo: Service<string, string> = (req) => Promise.resolve(req);

function around(name: string): Layer<string, string> {
  return (next) => async (req, inner) => `${name}(${await next(`${req}>${name}`, inner)})`;
}

test('the first layer is the outermost: it sees the request first and the result last', async () => {
  const service = stack(around('a'), around('b'), around('c'))(echo);
  assert.equal(await service('', call), 'a(b(c(>a>b>c)))');
});

test('stacks are layers, and nest', async () => {
  const service = stack(around('a'), stack(around('b'), around('c')))(echo);
  assert.equal(await service('', call), 'a(b(c(>a>b>c)))');
});

test('no layers change nothing', () => {
  assert.equal(stack<string, string>()(echo), echo);
});

test('a layer may call next twice', async () => {
  const twice: Layer<string, string> = (next) => async (req, inner) =>
    (await next(req, inner)) + (await next(req, inner));
  assert.equal(await stack(twice, around('a'))(echo)('x', call), 'a(x>a)a(x>a)');
});
