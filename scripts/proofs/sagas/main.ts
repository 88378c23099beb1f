// `npm run proof:sagas -- [--sagas N] [--workers N] [--every MS]`: sagas whose processes are killed all the time.
import { parseArgs } from 'node:util';
import { proveSagas } from './prove.ts';

const { values } = parseArgs({
  options: {
    sagas: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '4' },
    every: { type: 'string', default: '2000' },
  },
});
const [sagas, workers, killEveryMs] = [Number(values.sagas), Number(values.workers), Number(values.every)];
if (![sagas, workers, killEveryMs].every((each) => Number.isInteger(each) && each > 0)) {
  process.stderr.write('usage: npm run proof:sagas -- [--sagas N] [--workers N] [--every MS]\n');
  process.exit(2);
}
let saidAtSeconds = 0;
const books = await proveSagas({
  sagas,
  workers,
  killEveryMs,
  onLook: ({ completed, compensated, open, kills, seconds }) => {
    if (seconds < saidAtSeconds + 10) return;
    saidAtSeconds = seconds;
    process.stdout.write(
      `${seconds} s: ${completed} completed, ${compensated} compensated, ${open} open, ${kills} kills\n`,
    );
  },
});
const { completed, compensated, open, doubled, wrong, madeOrLost, inDoubt } = books;
const holds =
  completed + compensated === sagas && [open, doubled, wrong, madeOrLost, inDoubt].every((n) => n === 0);
process.stdout.write(`${JSON.stringify(books)}\n`);
process.stdout.write(
  holds
    ? 'holds: every saga has ended once, as it says; money was neither made nor lost; nothing is in doubt\n'
    : 'BROKEN\n',
);
process.exitCode = holds ? 0 : 1;
