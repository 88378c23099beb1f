// Injection and Istio's objects on a real API server.
import { existsSync } from 'node:fs';
import { isMissing, obtain } from '../../engines/engine.ts';
import { etcd } from '../../engines/etcd.ts';
import { kubeApiserver } from '../../engines/kube-apiserver.ts';
import { type Contract, resultOf, skippedWhole } from '../result.ts';
import { definitions, startCluster } from './kubernetes/cluster.ts';
import { injectionCases } from './kubernetes/injection-cases.ts';
import { serviceMeshCases } from './kubernetes/service-mesh-cases.ts';

/** The cases, one server for all of them. */
export const kubernetesMesh: Contract = {
  backend: 'kubernetes',
  async run(only = () => true) {
    const cases = [...injectionCases, ...serviceMeshCases].filter(({ name }) => only(name));
    if (cases.length === 0) return [];
    if (!existsSync(definitions)) return skippedWhole('kubernetes', 'Istio’s definitions are not at hand');
    for (const engine of [etcd, kubeApiserver]) {
      const found = await obtain(engine);
      if (isMissing(found)) return skippedWhole('kubernetes', found.missing);
    }
    const found = await obtain(kubeApiserver);
    const version = isMissing(found) ? '' : found.version;
    const cluster = await startCluster();
    try {
      const results = [];
      for (const { name, run } of cases) {
        const startedMs = performance.now();
        const result = await resultOf('kubernetes', version, name, () => run(cluster));
        results.push({ ...result, tookMs: performance.now() - startedMs });
      }
      return results;
    } finally {
      await cluster.stop();
    }
  },
};
