import type { RegistryDriver } from '../../open/driver.ts';
import { badUrl } from '../../open/registry-url.ts';
import type { DnsQuestion } from './dns-instances.ts';
import { dnsRegistry } from './dns-registry.ts';
import { nodeDatagrams } from './node/node-datagrams.ts';

/** `dns://10.0.0.53?srv=_{service}._tcp.example.com`, or `?host={service}.example.com&port=8080`. */
export const driver: RegistryDriver = {
  parameters: {
    srv: 'the name to ask for SRV records, with {service} in it',
    host: 'the name to ask for addresses, with {service} in it',
    port: 'where those of "host" serve',
  },
  open: async ({ text, addresses, parameters, secure }, { runtime }) => {
    const [srv, host, port] = ['srv', 'host', 'port'].map((name) => parameters.get(name));
    const problems: string[] = [];
    if (secure) problems.push('expected dns://, found DNS over TLS, which is not spoken');
    if ((srv === undefined) === (host === undefined)) problems.push('expected either srv or host');
    if ((host === undefined) !== (port === undefined)) problems.push('expected host and port together');
    if (!(srv ?? host ?? '').includes('{service}')) problems.push('expected "{service}" within srv or host');
    const number = port !== undefined && /^\d{1,5}$/.test(port) ? Number(port) : 0;
    if (port !== undefined && (number < 1 || number > 65_535))
      problems.push(`port: expected a whole number from 1 to 65535, found "${port}"`);
    if (problems.length > 0) throw badUrl(text, problems);
    const named = (pattern: string, service: string): string => pattern.replaceAll('{service}', service);
    const question = (service: string): DnsQuestion =>
      srv === undefined
        ? { kind: 'address', name: named(host ?? '', service), port: number }
        : { kind: 'srv', name: named(srv, service) };
    return dnsRegistry({ runtime, datagrams: nodeDatagrams, servers: addresses, question });
  },
};
