import {
  type Health,
  type Instance,
  type InstanceState,
  type Protocol,
  protocols,
} from '../../registry/instance.ts';
import { readInstance } from '../../registry/validate-instance.ts';
import { listIn, membersIn, textIn } from './object.ts';

/** Which port of a service is called. Undefined: that named `grpc`, else `http`, else the first. */
export type PortName = string | undefined;

interface Port {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/**
 * The instances in the slices of one service, sorted by id, each once: a slice is split and joined by its controller
 * as it likes, and while it moves an endpoint the endpoint is in two; then the one that is ready counts.
 * What is no instance is left out.
 */
export function instancesInSlices(service: string, slices: readonly unknown[], wanted: PortName): Instance[] {
  const byId = new Map<string, Instance>();
  for (const slice of slices) {
    const port = chosenPort(membersIn(slice)['ports'], wanted);
    if (port === undefined) continue;
    for (const endpoint of listIn(membersIn(slice)['endpoints'])) {
      const found = instanceOf(service, endpoint, port);
      if (found === undefined) continue;
      const known = byId.get(found.id);
      if (known === undefined || known.state !== 'running') byId.set(found.id, found);
    }
  }
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function chosenPort(value: unknown, wanted: PortName): Port | undefined {
  const ports = listIn(value).flatMap((each): Port[] => {
    const { name, port, protocol, appProtocol } = membersIn(each);
    if (typeof port !== 'number' || (protocol !== undefined && protocol !== 'TCP')) return [];
    const named = textIn(name) ?? '';
    return [{ name: named, port, protocol: protocolOf(textIn(appProtocol), named) }];
  });
  const called = (name: string): Port | undefined => ports.find((each) => each.name === name);
  return wanted === undefined ? (called('grpc') ?? called('http') ?? ports[0]) : called(wanted);
}

/** From `appProtocol`, else from the name as Istio reads it: `grpc`, `grpc-web`, `http-admin`. */
function protocolOf(application: string | undefined, name: string): Protocol {
  if (application === 'kubernetes.io/h2c') return 'grpc';
  const said = (application ?? name).split('-')[0]?.toLowerCase();
  if (said === 'https' || said === 'http2') return 'http';
  return protocols.find((known) => known === said) ?? 'grpc';
}

function instanceOf(service: string, value: unknown, port: Port): Instance | undefined {
  const endpoint = membersIn(value);
  // The addresses of one endpoint are interchangeable, says the API; everybody takes the first.
  const address = textIn(listIn(endpoint['addresses'])[0]);
  if (address === undefined) return undefined;
  const target = membersIn(endpoint['targetRef']);
  const pod = target['kind'] === 'Pod' ? textIn(target['name']) : undefined;
  const hinted = listIn(membersIn(endpoint['hints'])['forZones']).map((each) =>
    textIn(membersIn(each)['name']),
  );
  const hints = hinted.filter((zone) => zone !== undefined);
  const zone = textIn(endpoint['zone']) ?? hints[0];
  const node = textIn(endpoint['nodeName']);
  const metadata: Record<string, string> = {
    ...(node !== undefined && { 'kubernetes.node': node }),
    ...(port.name !== '' && { 'kubernetes.port': port.name }),
    ...(hints.length > 0 && { 'kubernetes.hints': hints.join(' ') }),
  };
  const { instance } = readInstance({
    service,
    ...(pod !== undefined && { id: pod }),
    address,
    port: port.port,
    protocol: port.protocol,
    metadata,
    ...(zone !== undefined && { zone }),
    ...conditionsOf(endpoint['conditions']),
  });
  return instance;
}

/** A condition that is not there counts as the API says: ready, serving as ready is, not terminating. */
function conditionsOf(value: unknown): { state: InstanceState; health: Health } {
  const { ready = true, serving = ready, terminating = false } = membersIn(value);
  if (terminating === true) {
    return serving === true
      ? { state: 'draining', health: 'passing' }
      : { state: 'stopping', health: 'critical' };
  }
  return ready === true
    ? { state: 'running', health: 'passing' }
    : { state: 'unhealthy', health: 'critical' };
}
