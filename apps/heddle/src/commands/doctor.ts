import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, type Given, usageError, type World } from '../command.ts';
import { examineDiscovery, type Finding } from '../doctor/discovery-checks.ts';
import { examineMachine } from '../doctor/machine-checks.ts';
import { machineQuestions } from '../node/machine-questions.ts';
import { chosenRegistry } from '../registry-access.ts';
import { wrapped } from '../terminal/wrapped.ts';
import { paint, type Terminal } from '../terminal/terminal.ts';
import { doctorUsage } from './doctor.usage.ts';

/** `heddle doctor`. */
export const doctor: Command = {
  ...doctorUsage,
  run: async (given, world) => {
    const [what = 'machine', ...rest] = given.words;
    if ((what !== 'machine' && what !== 'discovery') || rest.length > 0)
      throw usageError('"heddle doctor" examines: machine, discovery');
    const runtime = nodeRuntime({ name: 'doctor', logLevel: 'error' });
    if (what === 'discovery') return doctorOfRegistry(given, world, runtime);
    const folder = given.text('data') ?? '.heddle';
    const findings = await examineMachine(machineQuestions(folder, runtime));
    return report('this machine', findings, given, world);
  },
};

async function doctorOfRegistry(given: Given, world: World, runtime: Runtime): Promise<number> {
  const { registry, name } = await chosenRegistry(given, runtime);
  try {
    const readOnly = given.flag('read-only');
    const quiet = { ...runtime, log: (): void => {} };
    const findings = await examineDiscovery({ registry, runtime: quiet, readOnly });
    return report(name, findings, given, world);
  } finally {
    await registry.close();
  }
}

function report(name: string, findings: readonly Finding[], given: Given, { terminal }: World): number {
  const well = findings.every(({ result }) => result !== 'failed');
  const subject = name === 'this machine' ? 'machine' : 'registry';
  if (given.flag('json')) {
    terminal.out(`${JSON.stringify({ [subject]: name, well, findings }, undefined, 2)}\n`);
  } else {
    terminal.out(
      `${paint(terminal, 'bold', name)}\n${findings.map((each) => line(each, terminal)).join('')}`,
    );
  }
  return well ? 0 : 1;
}

const colours = {
  ok: 'green',
  warning: 'yellow',
  failed: 'red',
  unsupported: 'dim',
  skipped: 'dim',
} as const;
const checkWidth = 12;
const resultWidth = 13;

function line({ check, result, detail }: Finding, terminal: Terminal): string {
  const indent = 2 + checkWidth + resultWidth;
  const marked = paint(terminal, colours[result], result.padEnd(resultWidth));
  return `  ${check.padEnd(checkWidth)}${marked}${wrapped(detail, terminal.width - indent).join(`\n${' '.repeat(indent)}`)}\n`;
}
