// `npm run soak -- [--minutes N]`: the gateway under mixed traffic while its upstreams are killed. Default 30 minutes.
import { parseArgs } from 'node:util';
import { isFlat, runSoak } from './run-soak.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0 && minutes <= 1440)) {
  process.stderr.write(`--minutes expects a number above 0 and up to 1440, found "${values.minutes}"\n`);
  process.exit(2);
}
const report = await runSoak({ seconds: minutes * 60, log: (line) => process.stdout.write(`${line}\n`) });
for (const failure of report.failures) process.stdout.write(`FAILED ${failure}\n`);
const flat = isFlat(report);
process.stdout.write(
  `${report.requests} requests, ${report.failed} failed, ${flat ? 'nothing grew' : 'IT GREW'}\n`,
);
process.exit(report.failed === 0 && flat ? 0 : 1);
