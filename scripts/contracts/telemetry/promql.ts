// Prometheus' own evaluation tests against our evaluator: a case for each file, with the share that passes.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Contract, ContractResult } from '../result.ts';
import { judge } from './promql/judge.ts';
import { evaluationsIn } from './promql/script.ts';

const backend = 'promql';
const version = 'promqltest 3';
const folder = path.join(import.meta.dirname, 'promql/testdata');
/** Of all statements; what is missing is documented in docs/observability.md. */
const goal = 0.95;

/** Each file is a result; the last one says whether enough passes in all. */
export const promqlContract: Contract = {
  backend,
  run: async () => {
    const results: ContractResult[] = [];
    let passed = 0;
    let all = 0;
    for (const name of readdirSync(folder)
      .filter((each) => each.endsWith('.test'))
      .toSorted()) {
      const evaluations = evaluationsIn(readFileSync(path.join(folder, name), 'utf8'));
      const wrong = evaluations.flatMap((evaluation) => {
        const why = judged(evaluation);
        return why === undefined ? [] : [`${name}:${evaluation.line} ${evaluation.expression}: ${why}`];
      });
      passed += evaluations.length - wrong.length;
      all += evaluations.length;
      const share = `${evaluations.length - wrong.length} of ${evaluations.length}`;
      const isFull = wrong.length === 0;
      results.push({
        backend,
        version,
        case: name,
        status: isFull ? 'pass' : 'unsupported',
        detail: isFull ? share : `${share}; ${wrong.join('\n').slice(0, 2000)}`,
      });
    }
    const detail = `${passed} of ${all} statements (${((100 * passed) / all).toFixed(1)} %)`;
    results.push({
      backend,
      version,
      case: 'all files',
      status: passed / all >= goal ? 'pass' : 'fail',
      detail,
    });
    return results;
  },
};

function judged(evaluation: Parameters<typeof judge>[0]): string | undefined {
  try {
    return judge(evaluation);
  } catch (error) {
    return (error as Error).message;
  }
}
