import type { Check } from '../check.ts';

/** Sidecars: hosts that exist, and the default of the mesh. */
export const sidecars: Check = (inventory, tell) => {
  for (const sidecar of inventory.of('Sidecar')) {
    const { metadata, spec } = sidecar;
    const labels = Object.keys(spec.workloadSelector?.labels ?? {});
    if (metadata.namespace === inventory.root && labels.length > 0) {
      const message = 'the default of the mesh has a workloadSelector';
      tell('SIDECAR_OF_MESH_WITH_SELECTOR', sidecar, ['spec', 'workloadSelector'], message);
    }
    for (const [index, { hosts }] of (spec.egress ?? []).entries()) {
      for (const [number, host] of hosts.entries()) {
        const path = ['spec', 'egress', index, 'hosts', number];
        const slash = host.indexOf('/');
        if (slash < 0) {
          tell('EGRESS_HOST_FORM', sidecar, path, `"${host}" has no namespace`);
          continue;
        }
        const written = host.slice(0, slash);
        const name = host.slice(slash + 1);
        const namespace = written === '.' ? metadata.namespace : written;
        if (namespace === '*' || namespace === '~' || name.startsWith('*')) continue;
        const found = inventory.directory.find(name, namespace);
        if (found?.namespace === namespace) continue;
        tell('SIDECAR_HOST_NOT_FOUND', sidecar, path, `${namespace} has no "${name}"`);
      }
    }
  }
};
