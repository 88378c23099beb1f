import {
  type Explanation,
  explain,
  type GatewayConfig,
  normalPath,
  readGatewayDocuments,
  type RouteConfig,
  serverAt,
} from '@heddle/proxy';
import { emptyBody, Fields } from '@heddle/wire';
import { type Command, exitCodes, type Given, usageError } from '../command.ts';
import { checkPolicies } from '../gateway/mesh-policies.ts';
import { readDocuments } from '../node/config-documents.ts';
import { table } from '../terminal/table.ts';
import { routeUsage } from './route.usage.ts';

/** `heddle route explain`. */
export const route: Command = {
  ...routeUsage,
  run: async (given, world) => {
    const [verb, method, target] = given.words;
    if (verb !== 'explain' || method === undefined || target === undefined || given.words.length > 3)
      throw usageError('"heddle route" expects: explain <method> <path>');
    const file = given.text('config') ?? 'gateway.yaml';
    const { routes, servers } = readGatewayDocuments(readDocuments(file), checkPolicies);
    const normal = normalPath(target);
    if (!normal.ok) {
      world.terminal.out(`${target} is refused with 400 before any route is asked: ${normal.why}\n`);
      return exitCodes.failed;
    }
    const path = normal.path + normal.query;
    const request = {
      method,
      scheme: 'http' as const,
      authority: given.text('host') ?? 'localhost',
      path,
      fields: fieldsOf(given),
      body: emptyBody,
    };
    const server = serverOf(given, servers, request.authority);
    const by = { subject: given.text('subject'), zone: given.text('zone'), server };
    const found = explain(routes, request, by);
    world.terminal.out(given.flag('json') ? asJson(path, found) : asText(path === target, path, found));
    return found.some(({ verdict }) => verdict === 'taken') ? exitCodes.done : exitCodes.failed;
  },
};

/** The name of the server that takes the host at the port that was said. */
function serverOf(given: Given, servers: GatewayConfig['servers'], host: string): string | undefined {
  if (given.text('port') === undefined) return undefined;
  const port = given.port('port', 0);
  const server = serverAt(servers, port, host.toLowerCase());
  if (server === undefined) throw usageError(`--port ${port}: no server of the file has ${host} there`);
  if (server.tls.kind === 'pass')
    throw usageError(`--port ${port}: ${server.name} passes connections for ${host} on; no route is asked`);
  return server.name;
}

function asText(isAsked: boolean, path: string, found: readonly Explanation<RouteConfig>[]): string {
  const routes = found.length === 0 ? 'the file has no routes\n' : table(found.map(rowOf));
  return isAsked ? routes : `asked as ${path}\n${routes}`;
}

function asJson(path: string, found: readonly Explanation<RouteConfig>[]): string {
  const routes = found.map(({ route: { name }, verdict, why }) => ({ route: name, verdict, why }));
  return `${JSON.stringify({ path, routes }, undefined, 2)}\n`;
}

const marks = { taken: '✔', shadowed: '–', no: '' } as const;

function rowOf({ route: { name }, verdict, why }: Explanation<RouteConfig>): Record<string, string> {
  return { '': marks[verdict], route: name, why };
}

function fieldsOf(given: Given): Fields {
  const fields = new Fields();
  for (const field of (given.text('headers') ?? '').split(';')) {
    if (field.trim() === '') continue;
    const colon = field.indexOf(':');
    if (colon < 1) throw usageError(`--headers expects "name: value; …", found ${JSON.stringify(field)}`);
    fields.append(field.slice(0, colon).trim().toLowerCase(), field.slice(colon + 1).trim());
  }
  return fields;
}
