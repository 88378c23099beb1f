import { describe, test } from 'node:test';
import { brokerCases } from './broker-cases.ts';
import type { BrokerFaults, BrokerStage } from './broker-stage.ts';

/**
 * Declares the contract's cases as tests of `node:test`, each on a stage of its own. `faults` names those that the
 * stages have; a case that needs another says nothing about this engine, and is left out.
 */
export function brokerContract(
  name: string,
  makeStage: () => Promise<BrokerStage>,
  faults: readonly (keyof BrokerFaults)[] = [],
): void {
  describe(`broker contract: ${name}`, () => {
    for (const one of brokerCases) {
      if (one.needs?.every((fault) => faults.includes(fault)) === false) continue;
      test(one.name, { timeout: 300_000 }, async () => {
        const stage = await makeStage();
        try {
          await one.run(stage);
        } finally {
          await stage.close();
        }
      });
    }
  });
}
