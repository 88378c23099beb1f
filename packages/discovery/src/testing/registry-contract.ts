import { describe, test } from 'node:test';
import { type RegistryCase, plainCases, type RegistryNeed } from './registry-cases.ts';
import { crowdCases } from './registry-crowd-cases.ts';
import { doorCases } from './registry-door-cases.ts';
import { lifeCase } from './registry-life-case.ts';
import { blockedCases, faultCases, leaseCases } from './registry-fault-cases.ts';
import type { RegistryStage } from './registry-stage.ts';

/** All that a registry must do, in the order in which a new backend would best be made to. */
export const registryCases: readonly RegistryCase[] = [
  ...plainCases,
  ...leaseCases,
  ...blockedCases,
  ...faultCases,
  ...crowdCases,
  ...doorCases,
  lifeCase,
];

/**
 * Declares the contract's cases as tests of `node:test`, each on a stage of its own. `faults` names those that the
 * stages have; a case that needs another says nothing about this backend, and is left out.
 */
export function registryContract(
  name: string,
  makeStage: () => Promise<RegistryStage>,
  faults: readonly RegistryNeed[] = [],
): void {
  describe(`registry contract: ${name}`, () => {
    for (const one of registryCases) {
      if (one.needs?.every((fault) => faults.includes(fault)) === false) continue;
      test(one.name, { timeout: 60_000 }, async () => {
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
