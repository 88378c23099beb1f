import type { Check } from '../check.ts';

/** Namespaces that objects are exported to. */
export const exports: Check = (inventory, tell) => {
  for (const resource of inventory.resources) {
    const { type, spec } = resource;
    if (type !== 'VirtualService' && type !== 'DestinationRule' && type !== 'ServiceEntry') continue;
    for (const [index, namespace] of (spec.exportTo ?? []).entries()) {
      if (['*', '.', '~'].includes(namespace) || inventory.namespaces.has(namespace)) continue;
      const message = `there is no namespace "${namespace}"`;
      tell('EXPORT_NAMESPACE_NOT_FOUND', resource, ['spec', 'exportTo', index], message);
    }
  }
};
