import { HeddleError, type TlsIdentity } from '@heddle/kernel';
import type { KubernetesAccess } from './access.ts';
import { listIn, membersIn, textIn } from './object.ts';

/** What reading a kubeconfig takes. */
export interface KubeconfigOptions {
  /** The parsed document. */
  readonly document: unknown;
  /** Default: its `current-context`. */
  readonly context?: string | undefined;
  /** Reads a file that it names, relative to its own place. */
  readonly readText: (path: string) => Promise<string>;
}

/**
 * The access that a kubeconfig describes: a token, a token file, or a client certificate. Rejects with
 * `invalid_argument` / `BAD_KUBECONFIG`, or `unimplemented` / `UNSUPPORTED` for what would run a program (`exec`,
 * `auth-provider`), send a password, or not verify the server.
 */
export async function readKubeconfig(options: KubeconfigOptions): Promise<KubernetesAccess> {
  const { document, readText } = options;
  const config = membersIn(document);
  const name = options.context ?? textIn(config['current-context']);
  if (name === undefined) throw bad('expected a current-context, or one that is named, found none');
  const context = entry(config['contexts'], name, 'context');
  const cluster = entry(config['clusters'], textIn(context['cluster']) ?? '', 'cluster');
  const named = textIn(context['user']);
  const user = named === undefined ? {} : entry(config['users'], named, 'user');
  refuseUnsupported(cluster, user);
  const { address, secure } = serverOf(textIn(cluster['server']));
  const content = async (
    from: Readonly<Record<string, unknown>>,
    key: string,
  ): Promise<string | undefined> => {
    const data = textIn(from[`${key}-data`]);
    if (data !== undefined) return Buffer.from(data, 'base64').toString();
    const path = textIn(from[key]);
    return path === undefined ? undefined : readText(path);
  };
  const trust = await content(cluster, 'certificate-authority');
  const certificates = await content(user, 'client-certificate');
  const privateKey = await content(user, 'client-key');
  if ((certificates === undefined) !== (privateKey === undefined)) {
    throw bad('expected client-certificate and client-key together');
  }
  const identities: TlsIdentity[] =
    certificates === undefined || privateKey === undefined ? [] : [{ certificates, privateKey }];
  return {
    address,
    tls: secure ? { current: { identities, ...(trust !== undefined && { trust }) } } : undefined,
    serverName: textIn(cluster['tls-server-name']),
    token: tokenOf(user, readText),
    namespace: textIn(context['namespace']) ?? 'default',
  };
}

function tokenOf(
  user: Readonly<Record<string, unknown>>,
  readText: (path: string) => Promise<string>,
): () => Promise<string | undefined> {
  const file = textIn(user['tokenFile']);
  const token = textIn(user['token']);
  // As kubectl has it: the file wins.
  if (file !== undefined) return async () => (await readText(file)).trim();
  return () => Promise.resolve(token);
}

function entry(list: unknown, name: string, kind: string): Readonly<Record<string, unknown>> {
  const found = listIn(list)
    .map(membersIn)
    .find((each) => each['name'] === name);
  if (found === undefined) throw bad(`expected a ${kind} named "${name}", found none`);
  return membersIn(found[kind]);
}

function serverOf(server: string | undefined): { address: { host: string; port: number }; secure: boolean } {
  const match = /^(https?):\/\/(\[[0-9a-f:.]+\]|[^:/]+)(?::(\d{1,5}))?\/?$/i.exec(server ?? '');
  if (match === null)
    throw bad(`expected a server such as https://host:6443, found ${JSON.stringify(server)}`);
  const secure = match[1]?.toLowerCase() === 'https';
  const host = (match[2] ?? '').replace(/^\[|\]$/g, '');
  return { address: { host, port: Number(match[3] ?? (secure ? 443 : 80)) }, secure };
}

function refuseUnsupported(
  cluster: Readonly<Record<string, unknown>>,
  user: Readonly<Record<string, unknown>>,
): void {
  const reasons = [
    [cluster['insecure-skip-tls-verify'] === true, 'insecure-skip-tls-verify: the server is always verified'],
    [cluster['proxy-url'] !== undefined, 'proxy-url'],
    [
      user['exec'] !== undefined,
      'exec: it would run a program; put its token into a file and name that as tokenFile',
    ],
    [user['auth-provider'] !== undefined, 'auth-provider: Kubernetes itself has dropped those'],
    [user['username'] !== undefined, 'username and password: Kubernetes itself has dropped those'],
  ] as const;
  const found = reasons.filter(([is]) => is).map(([, what]) => what);
  if (found.length === 0) return;
  const message = `the kubeconfig uses what Heddle does not: ${found.join('; ')}`;
  throw new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
}

function bad(problem: string): HeddleError {
  const message = `the kubeconfig cannot be used: ${problem}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_KUBECONFIG', message, sent: false });
}
