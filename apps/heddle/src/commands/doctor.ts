import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, usageError } from '../command.ts';
import { examineDiscovery, type Finding } from '../doctor/discovery-checks.ts';
import { chosenRegistry, registryOptions } from '../registry-access.ts';
import { wrapped } from '../terminal/wrapped.ts';
import { paint, type Terminal } from '../terminal/terminal.ts';

/** `heddle doctor`. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'Examine a registry, and say what is wrong and what to do',
  words: 'discovery',
  options: {
    json: { type: 'boolean', help: 'As JSON' },
    'read-only': { type: 'boolean', help: 'Register nothing, only look' },
    ...registryOptions,
  },
  examples: [
    'heddle doctor discovery',
    'heddle doctor discovery --registry consul://127.0.0.1:8500',
    'heddle doctor discovery --registry "k8s:/shop?kubeconfig=/home/me/.kube/config" --read-only',
  ],
  run: async (given, world) => {
    const [what, ...rest] = given.words;
    if (what !== 'discovery' || rest.length > 0) throw usageError('"heddle doctor" examines: discovery');
    const runtime = nodeRuntime({ name: 'doctor', logLevel: 'error' });
    const { registry, name } = await chosenRegistry(given, runtime);
    try {
      const readOnly = given.flag('read-only');
      const quiet = { ...runtime, log: (): void => {} };
      const findings = await examineDiscovery({ registry, runtime: quiet, readOnly });
      const isWell = findings.every(({ result }) => result !== 'failed');
      if (given.flag('json')) {
        world.terminal.out(`${JSON.stringify({ registry: name, well: isWell, findings }, undefined, 2)}\n`);
      } else {
        world.terminal.out(
          `${paint(world.terminal, 'bold', name)}\n${findings.map((each) => line(each, world.terminal)).join('')}`,
        );
      }
      return isWell ? 0 : 1;
    } finally {
      await registry.close();
    }
  },
};

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
