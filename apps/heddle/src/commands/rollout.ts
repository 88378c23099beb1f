import { HeddleError, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import {
  newRollout,
  type RolloutEffect,
  type RolloutInput,
  type RolloutPlan,
  shiftWeights,
  stepRollout,
} from '@heddle/mesh/rollout';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { writeTextFile } from '../node/boundaries-files.ts';
import { readTextFile } from '../node/config-file.ts';
import { secondsOf, wholeOf } from '../node/seconds.ts';
import { Prometheus } from '../rollout/prometheus.ts';
import { filled, type Queries, standardQueries } from '../rollout/queries.ts';
import { rolloutUsage } from './rollout.usage.ts';

/** `heddle rollout`. Exit code 0 when it went through, 1 when it was taken back. */
export const rollout: Command = {
  ...rolloutUsage,
  run: async (given, world) => {
    const [file, name, ...rest] = given.words;
    if (file === undefined || name === undefined || rest.length > 0) {
      throw usageError('expected the file and the name of a VirtualService');
    }
    const shift = {
      name,
      namespace: given.text('namespace'),
      from: required(given, 'from'),
      to: required(given, 'to'),
    };
    const plan = planOf(given);
    const runtime = nodeRuntime({ name: 'rollout', logLevel: 'error' });
    const metrics = new Prometheus(required(given, 'prometheus'), runtime);
    const queries = queriesOf(given, plan, { service: name, version: shift.to });
    // A split that is not there is told before anything is asked or changed.
    shiftWeights(readTextFile(file, 'resource file'), shift, 0);
    let stopped = false;
    let wake = (): void => {};
    const stop = new Promise<void>((resolve) => {
      wake = resolve;
    });
    world.onSignal(() => {
      stopped = true;
      wake();
    });
    const act = async (effect: RolloutEffect): Promise<void> => {
      if (effect.do === 'shift') {
        writeTextFile(
          file,
          shiftWeights(readTextFile(file, 'resource file'), shift, effect.percent),
          'resource file',
        );
        world.terminal.out(`${shift.to} ${effect.percent} %, ${shift.from} ${100 - effect.percent} %\n`);
      } else if (effect.do === 'look') {
        await Promise.race([stop, sleep(runtime.timers, effect.afterMs)]);
      } else {
        world.terminal.out(`${effect.outcome === 'done' ? 'done' : 'taken back'}: ${effect.reason}\n`);
      }
    };
    try {
      let { state, effects } = stepRollout(plan, newRollout(), { is: 'start' }, runtime.clock.nowMs());
      for (;;) {
        for (const effect of effects) await act(effect);
        if (state.phase !== 'running') return state.phase === 'done' ? exitCodes.done : exitCodes.failed;
        const input: RolloutInput = stopped
          ? { is: 'stop', reason: 'stopped by hand' }
          : await look(metrics, queries, world);
        ({ state, effects } = stepRollout(plan, state, input, runtime.clock.nowMs()));
      }
    } finally {
      metrics.close();
    }
  },
};

async function look(metrics: Prometheus, queries: Queries, { terminal }: World): Promise<RolloutInput> {
  try {
    const calls = (await metrics.number(queries.calls)) ?? 0;
    const errors = (await metrics.number(queries.errors)) ?? 0;
    const latencyMs = queries.latency === undefined ? undefined : await metrics.number(queries.latency);
    const errorPercent = calls === 0 ? 0 : (errors * 100) / calls;
    const latency = latencyMs === undefined ? '' : `, p99 ${latencyMs.toFixed(1)} ms`;
    terminal.out(`  ${calls.toFixed(0)} calls, ${errorPercent.toFixed(2)} % failed${latency}\n`);
    return { is: 'measured', calls, errorPercent, latencyMs };
  } catch (thrown) {
    const { message } = HeddleError.from(thrown);
    terminal.out(`  no metrics: ${message}\n`);
    return { is: 'unmeasured', reason: message };
  }
}

function planOf(given: Given): RolloutPlan {
  const steps = (given.text('steps') ?? '5,20,50,100').split(',').map((each) => Number(each.trim()));
  const growing = steps.every(
    (each, at) => Number.isInteger(each) && each > (steps[at - 1] ?? 0) && each <= 100,
  );
  if (!growing) throw usageError(`--steps expects growing percentages, found "${given.text('steps')}"`);
  const maxLatency = given.text('max-latency');
  return {
    steps,
    everyMs: secondsOf(given, 'every', 60) * 1000,
    lookMs: secondsOf(given, 'look', 10) * 1000,
    maxErrorPercent: numberOf(given, 'max-errors', 1),
    maxLatencyMs: maxLatency === undefined ? undefined : numberOf(given, 'max-latency', 0),
    minCalls: wholeOf(given, 'min-calls', 20),
  };
}

function queriesOf(
  given: Given,
  plan: RolloutPlan,
  about: { readonly service: string; readonly version: string },
): Queries {
  // A rate needs two samples: the window is never narrower than a minute.
  const places = { ...about, window: `${Math.max(60, Math.ceil(plan.lookMs / 1000))}s` };
  const of = (option: string, standard: string): string => filled(given.text(option) ?? standard, places);
  return {
    calls: of('calls-query', standardQueries.calls),
    errors: of('errors-query', standardQueries.errors),
    latency: plan.maxLatencyMs === undefined ? undefined : of('latency-query', standardQueries.latency),
  };
}

function required(given: Given, option: string): string {
  const text = given.text(option);
  if (text === undefined || text === '') throw usageError(`--${option} is needed`);
  return text;
}

function numberOf(given: Given, option: string, fallback: number): number {
  const text = given.text(option);
  if (text === undefined) return fallback;
  if (/^\d{1,9}(\.\d{1,6})?$/.test(text)) return Number(text);
  throw usageError(`--${option} expects a number, 0 or more, found "${text}"`);
}
