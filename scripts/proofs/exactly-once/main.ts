// `node scripts/proofs/exactly-once/main.ts [--runs N] [--inbox on|off] [--json]`: the proof of exactly-once effect.
import { parseArgs } from 'node:util';
import { proveExactlyOnce } from './prove.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '300' },
    inbox: { type: 'string', default: 'on' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1 || !['on', 'off'].includes(values.inbox)) {
  process.stderr.write('usage: npm run proof -- [--runs N] [--inbox on|off] [--json]\n');
  process.exit(2);
}
const result = await proveExactlyOnce({
  runs,
  inbox: values.inbox === 'on',
  onRun: (run, victim, { lost, doubled, sum }) => {
    if (!values.json)
      process.stdout.write(
        `run ${run + 1}: ${victim} killed; lost ${lost}, doubled ${doubled}, sum ${sum}\n`,
      );
  },
});
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exitCode = result.broken === undefined ? 0 : 1;
