import type { RegistryDriver } from '../../open/driver.ts';
import { badUrl } from '../../open/registry-url.ts';
import { xdsRegistry } from './xds-registry.ts';

/** `xds://host:15010?resource=outbound|7000||{service}.shop.svc.cluster.local&node=…&protocol=delta`. */
export const driver: RegistryDriver = {
  parameters: {
    resource: 'the name of a service’s EDS resource, with {service} in it',
    node: 'who we are to the control plane',
    zone: 'where we are',
    region: 'where we are',
    protocol: 'state-of-the-world or delta',
  },
  open: async ({ text, addresses, parameters }, { runtime, tls, secret }) => {
    const problems: string[] = [];
    const resource = parameters.get('resource');
    const protocol = parameters.get('protocol') ?? 'state-of-the-world';
    if (resource !== undefined && !resource.includes('{service}'))
      problems.push('resource: expected "{service}" in it');
    if (protocol !== 'state-of-the-world' && protocol !== 'delta')
      problems.push(`protocol: expected state-of-the-world or delta, found "${protocol}"`);
    if (problems.length > 0 || (protocol !== 'state-of-the-world' && protocol !== 'delta'))
      throw badUrl(text, problems);
    const [zone, region] = [parameters.get('zone'), parameters.get('region')];
    return xdsRegistry({
      runtime,
      addresses,
      tls,
      token: secret,
      protocol,
      node: {
        id: parameters.get('node') ?? `heddle-${runtime.random.uuid()}`,
        ...(zone !== undefined && { zone }),
        ...(region !== undefined && { region }),
      },
      ...(resource !== undefined && {
        resource: (service: string) => resource.replaceAll('{service}', service),
      }),
    });
  },
};
