import { HeddleError } from '@heddle/kernel';
import type { Instance } from '../../registry/instance.ts';
import type { LeasedInstance } from '../../registry/lease-table.ts';
import { readInstance } from '../../registry/validate-instance.ts';

/** Where a registry's nodes are: `<root>/<service>/<id>`, an instance each, as JSON with its lease beside it. */
export class RegistryTree {
  /** Begins with a slash. */
  readonly root: string;

  /** Throws `invalid_argument` / `BAD_PATH` for what is no path of ZooKeeper. */
  constructor(root: string) {
    if (!/^(\/[^/\p{Cc}]+)+$/u.test(root) || /\/\.\.?(\/|$)/.test(root)) throw badPath(root);
    this.root = root;
  }

  service(name: string): string {
    return `${this.root}/${name}`;
  }

  instance(service: string, id: string): string {
    return `${this.service(service)}/${nodeName(id)}`;
  }

  /** The nodes above a service's instances, the topmost first. */
  above(service: string): string[] {
    const parts = this.service(service).split('/').slice(1);
    return parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`);
  }
}

/** A name for any id: what means something in a path, or is not allowed in one, is escaped as in a URL. */
export function nodeName(id: string): string {
  const escaped = encodeURIComponent(id);
  return /^\.\.?$/.test(escaped) ? escaped.replaceAll('.', '%2E') : escaped;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The content of an instance's node. */
export function encodeNode({ instance, lease }: LeasedInstance): Uint8Array {
  const { lastHeartbeatMs: _, ...stated } = instance;
  return encoder.encode(JSON.stringify({ ...stated, lease }));
}

/** What an instance's node says; undefined for what others have put there. */
export function decodeNode(
  service: string,
  bytes: Uint8Array,
  lastHeartbeatMs: number,
): { readonly instance: Instance; readonly lease: string } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { lease } = json as { readonly lease?: unknown };
  const { instance } = readInstance({ ...json, lastHeartbeatMs });
  if (instance === undefined || instance.service !== service) return undefined;
  return { instance, lease: typeof lease === 'string' ? lease : '' };
}

function badPath(found: string): HeddleError {
  const message = `path: expected a path of ZooKeeper such as /heddle/registry, found ${JSON.stringify(found)}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_PATH', message, sent: false });
}
