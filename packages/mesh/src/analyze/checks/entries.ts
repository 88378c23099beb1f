import type { ResourceOf } from '../../resources/index.ts';
import { Directory } from '../../translate/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory } from '../inventory.ts';

type Entry = ResourceOf<'ServiceEntry'>;

/** ServiceEntries: addresses, endpoints, names that are services already; and rules of tokens. */
export const entries: Check = (inventory, tell) => {
  for (const entry of inventory.of('ServiceEntry')) {
    checkAddresses(entry, inventory, tell);
    checkEndpoints(entry, tell);
    checkNames(entry, inventory, tell);
  }
  checkProtocols(inventory, tell);
  for (const tokens of inventory.of('RequestAuthentication')) checkTokens(tokens, tell);
};

function checkAddresses(entry: Entry, inventory: Inventory, tell: Tell): void {
  const { metadata, spec } = entry;
  const { addresses = [], workloadSelector, ports = [] } = spec;
  const wanted = Object.entries(workloadSelector?.labels ?? {});
  if (wanted.length > 0 && addresses.length > 0) {
    const known = inventory
      .of('WorkloadEntry')
      .filter(
        (each) =>
          each.metadata.namespace === metadata.namespace &&
          wanted.every(([key, value]) => ({ ...each.metadata.labels, ...each.spec.labels })[key] === value),
      )
      .map(({ spec: { address } }) => address);
    for (const [index, address] of addresses.entries()) {
      if (known.includes(address)) continue;
      tell(
        'SERVICE_ENTRY_ADDRESS_MISSING',
        entry,
        ['spec', 'addresses', index],
        `no selected WorkloadEntry has ${address}`,
      );
    }
  }
  const bare = ports.find(({ protocol = '' }) => /^(?:tcp)?$/i.test(protocol));
  if (addresses.length === 0 && bare !== undefined) {
    tell(
      'SERVICE_ENTRY_ADDRESSES_NEEDED',
      entry,
      ['spec', 'ports'],
      `port ${bare.number} is TCP, and there are no addresses`,
    );
  }
}

/** One port of a host, said differently by two entries that some namespace sees. */
function checkProtocols(inventory: Inventory, tell: Tell): void {
  const said = inventory.of('ServiceEntry').flatMap((entry) =>
    (entry.spec.ports ?? []).flatMap(({ number, protocol = 'TCP' }, index) =>
      entry.spec.hosts.map((host) => ({
        entry,
        index,
        key: `${host.toLowerCase()} ${number}`,
        protocol: protocol.toUpperCase(),
        seen: Directory.visibleIn(entry.spec.exportTo, entry.metadata.namespace),
      })),
    ),
  );
  for (const [key, all] of Map.groupBy(said, (each) => each.key)) {
    for (const { entry, index, protocol, seen } of all) {
      const rival = all.find(
        (other) =>
          other.protocol !== protocol &&
          (seen.length === 0 || other.seen.length === 0 || seen.some((each) => other.seen.includes(each))),
      );
      if (rival === undefined) continue;
      const { namespace, name } = rival.entry.metadata;
      const message = `port ${key.split(' ')[1]} is ${protocol} here and ${rival.protocol} in ${namespace}/${name}`;
      tell('SERVICE_ENTRY_PROTOCOLS', entry, ['spec', 'ports', index, 'protocol'], message);
    }
  }
}

function checkEndpoints(entry: Entry, tell: Tell): void {
  const { endpoints = [], workloadSelector, resolution = 'NONE' } = entry.spec;
  const say = (message: string): void =>
    tell('SERVICE_ENTRY_ENDPOINTS', entry, ['spec', 'endpoints'], message);
  if (endpoints.length > 0 && workloadSelector !== undefined)
    say('endpoints and workloadSelector exclude each other');
  else if (resolution === 'NONE' && endpoints.length > 0) say('resolution NONE has no endpoints');
  else if (resolution === 'STATIC' && endpoints.length === 0 && workloadSelector === undefined) {
    say('resolution STATIC needs endpoints or a workloadSelector');
  }
  for (const [index, { address = '' }] of endpoints.entries()) {
    const numeric = /^[\d.]+$|:/.test(address);
    if (resolution === 'STATIC' && !numeric && !address.startsWith('unix://')) {
      tell(
        'SERVICE_ENTRY_ENDPOINTS',
        entry,
        ['spec', 'endpoints', index, 'address'],
        `"${address}" is no address, and STATIC resolves none`,
      );
    }
  }
}

function checkNames(entry: Entry, inventory: Inventory, tell: Tell): void {
  for (const [index, host] of entry.spec.hosts.entries()) {
    const service = inventory
      .of('Service')
      .find(({ metadata }) => host === `${metadata.name}.${metadata.namespace}.svc.cluster.local`);
    if (service === undefined) continue;
    tell(
      'SERVICE_ENTRY_OF_SERVICE',
      entry,
      ['spec', 'hosts', index],
      `${host} is the Service ${service.metadata.namespace}/${service.metadata.name}`,
    );
  }
}

function checkTokens(tokens: ResourceOf<'RequestAuthentication'>, tell: Tell): void {
  for (const [index, { issuer = '', jwks, jwksUri }] of (tokens.spec.jwtRules ?? []).entries()) {
    const path = ['spec', 'jwtRules', index];
    if (issuer === '') tell('JWT_RULE_INVALID', tokens, path, 'there is no issuer');
    if (jwks !== undefined && jwksUri !== undefined)
      tell('JWT_RULE_INVALID', tokens, path, 'jwks and jwksUri exclude each other');
  }
}
