// `npm run proof:rotation -- [--minutes N] [--life SECONDS]`: calls while certificates and the root are rotated.
import { parseArgs } from 'node:util';
import { proveRotation } from './prove.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, life: { type: 'string', default: '60' } },
});
const [minutes, lifeSeconds] = [Number(values.minutes), Number(values.life)];
if (!(minutes > 0 && lifeSeconds >= 2)) {
  process.stderr.write(
    'usage: npm run proof:rotation -- [--minutes N] [--life SECONDS], a life of 2 or more\n',
  );
  process.exit(2);
}
const outcome = await proveRotation({
  runMs: minutes * 60_000,
  lifeMs: lifeSeconds * 1000,
  onStep: (step) => process.stdout.write(`${step}\n`),
});
const holds =
  outcome.failed.length === 0 &&
  outcome.calls > 0 &&
  outcome.renewals >= 2 &&
  Object.values(outcome.strangers).every((isRefused) => isRefused);
process.stdout.write(`${JSON.stringify(outcome)}\n`);
process.stdout.write(
  holds ? 'holds: no call has failed, and whoever should not come in has not\n' : 'BROKEN\n',
);
process.exitCode = holds ? 0 : 1;
