import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call } from '../call.ts';
import { bareRuntime, VirtualTime } from '../simulated/index.ts';
import { asyncContext, contextOnceAsked } from './async-context.ts';

const runtime = bareRuntime(new VirtualTime());

test('each chain of awaits has its own call', async () => {
  const seen = async (call: Call): Promise<(Call | undefined)[]> => {
    return asyncContext.run(call, async () => {
      const before = asyncContext.current();
      await Promise.resolve();
      await new Promise<void>((resolve) => setImmediate(resolve));
      return [before, asyncContext.current()];
    });
  };
  const [one, two] = [Call.root(runtime), Call.root(runtime)];
  assert.deepEqual(await Promise.all([seen(one), seen(two)]), [
    [one, one],
    [two, two],
  ]);
  assert.equal(asyncContext.current(), undefined);
});

test('an inner call hides the outer one for as long as it runs', () => {
  const outer = Call.root(runtime);
  const inner = outer.child();
  asyncContext.run(outer, () => {
    assert.equal(
      asyncContext.run(inner, () => asyncContext.current()),
      inner,
    );
    assert.equal(asyncContext.current(), outer);
  });
});

test('that of a runtime keeps the call once somebody has said that it will be asked for', () => {
  const call = Call.root(runtime);
  asyncContext.ask?.();
  assert.equal(
    contextOnceAsked.run(call, () => asyncContext.current()),
    call,
  );
});
