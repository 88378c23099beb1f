import { Call, type Layer, type Service, stack } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { measure, type Subject } from './measure.ts';
import type { BenchOptions, BenchOutcome, BenchResult } from './report.ts';

const runtime = nodeRuntime({ name: 'bench' });
const call = Call.root(runtime);
const depth = 10;

const answered = Promise.resolve(1);
const leaf: Service<number, number> = () => answered;
const asyncLeaf: Service<number, number> = async (req) => req + 1;

const passThrough: Layer<number, number> = (next) => (req, inner) => next(req, inner);
const asynchronous: Layer<number, number> = (next) => async (req, inner) => {
  try {
    return await next(req, inner);
  } finally {
    finished++;
  }
};
let finished = 0;
let sink: unknown;

function many(layer: Layer<number, number>): Layer<number, number> {
  return stack(...Array.from({ length: depth }, () => layer));
}

function synchronous(name: string, service: Service<number, number>): Subject {
  return {
    name,
    run: (iterations) => {
      for (let i = 0; i < iterations; i++) sink = service(i, call);
    },
  };
}

function awaited(name: string, service: Service<number, number>): Subject {
  return {
    name,
    run: async (iterations) => {
      for (let i = 0; i < iterations; i++) sink = await service(i, call);
    },
  };
}

const plainCall: Subject = synchronous('plain', leaf);

const childCall: Subject = {
  name: 'child',
  run: (iterations) => {
    for (let i = 0; i < iterations; i++) {
      const child = call.child(runtime.clock.nowMs() + 1000);
      sink = child;
      child.end();
    }
  },
};

/** What the kernel costs on every call, per layer, beside a plain function call. */
export async function kernelBench({ quick, only }: BenchOptions): Promise<BenchOutcome> {
  const subjects = [
    plainCall,
    synchronous('layered', many(passThrough)(leaf)),
    awaited('async-bare', asyncLeaf),
    awaited('async-layered', many(asynchronous)(asyncLeaf)),
    childCall,
  ];
  const medians = await measure(subjects, quick ? { rounds: 3, turnMs: 5 } : {});
  const of = (name: string): number => medians.get(name) ?? Number.NaN;
  const plain = of('plain');
  const result = (name: string, value: number, goalNs: number): BenchResult => ({
    name,
    subject: 'heddle',
    unit: 'ns',
    value,
    peer: 'plain-call',
    peerValue: plain,
    ratio: plain / value,
    goal: `under ${goalNs} ns`,
    goalMet: value < goalNs,
  });
  if (sink === undefined || finished === 0) throw new Error('the measured code did not run');
  const results = [
    result('pass-through-layer', (of('layered') - plain) / depth, 20),
    result('async-layer', (of('async-layered') - of('async-bare')) / depth, 120),
    result('child-call-deadline', of('child'), 1000),
  ];
  return { results: results.filter(({ name }) => only === undefined || only === name), skipped: [] };
}
