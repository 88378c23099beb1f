import type { Check } from '../check.ts';

const exported = ['VirtualService', 'DestinationRule', 'ServiceEntry'] as const;

/** Namespaces that objects are exported to. */
export const exports: Check = (inventory, tell) => {
  for (const type of exported) {
    for (const resource of inventory.of(type)) {
      const { exportTo = [] } = resource.spec as { readonly exportTo?: readonly string[] };
      for (const [index, namespace] of exportTo.entries()) {
        if (['*', '.', '~'].includes(namespace) || inventory.namespaces.has(namespace)) continue;
        const message = `there is no namespace "${namespace}"`;
        tell('EXPORT_NAMESPACE_NOT_FOUND', resource, ['spec', 'exportTo', index], message);
      }
    }
  }
};
