import type { GatewayListener, GatewaySecret, Undone } from '../model/index.ts';
import { ofType, type SecretSpec } from '../resources/index.ts';
import type { Translation } from './scope.ts';

/** The secrets that the listeners of a gateway name, from those of its workload’s namespace. What is missing is told. */
export function gatewaySecrets(
  listeners: readonly GatewayListener[],
  namespace: string,
  { resources }: Translation,
  undone: Undone[],
): readonly GatewaySecret[] {
  const names = listeners.flatMap(({ servers }) =>
    servers.flatMap(({ tls }) =>
      tls?.mode === 'terminate' && tls.certificate.kind === 'secret' ? [tls.certificate.name] : [],
    ),
  );
  const known = ofType(resources, 'Secret').filter(({ metadata }) => metadata.namespace === namespace);
  const find = (name: string): SecretSpec => known.find(({ metadata }) => metadata.name === name)?.spec ?? {};
  return [...new Set(names)].flatMap((name) => {
    const spec = find(name);
    const { certificates, privateKey } = certificateIn(spec);
    const ca = valueOf(spec, 'ca.crt', 'cacert') ?? valueOf(find(`${name}-cacert`), 'ca.crt', 'cacert');
    if (certificates !== undefined && privateKey !== undefined)
      return [{ name, certificates, privateKey, ...(ca !== undefined && { ca }) }];
    const what = `the secret ${namespace}/${name} of a Gateway`;
    undone.push({
      origin: `${namespace}/${name}`,
      what,
      instead: 'nobody is served with it: it is not among the rules',
    });
    return [];
  });
}

/** The certificate and the key of a Secret, in PEM, as far as they are in it. */
export function certificateIn(spec: SecretSpec): {
  readonly certificates: string | undefined;
  readonly privateKey: string | undefined;
} {
  return {
    certificates: valueOf(spec, 'tls.crt', 'cert'),
    privateKey: valueOf(spec, 'tls.key', 'key'),
  };
}

/** The first that is there of the names that Istio takes. */
function valueOf(
  { data = {}, stringData = {} }: SecretSpec,
  ...names: readonly string[]
): string | undefined {
  for (const name of names) {
    const [plain, encoded] = [stringData[name], data[name]];
    if (plain !== undefined) return plain;
    if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString();
  }
  return undefined;
}
