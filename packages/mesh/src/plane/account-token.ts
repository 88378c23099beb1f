/** The audience for which service account tokens are made that are shown to a control plane of the mesh. */
export const accountTokenAudience = 'heddle-mesh';

/** Whether it is a service account's token, which is a JWT; bootstrap tokens are of another form. */
export function isAccountToken(token: string): boolean {
  return token.startsWith('eyJ');
}

/** Whose it says it is, unproven: only to tell whether what is kept is of the same; undefined if it does not say. */
export function accountOfToken(
  token: string,
): { readonly namespace: string; readonly name: string } | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      readonly sub?: unknown;
    };
    const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(String(claims.sub)) ?? [];
    return namespace === undefined || name === undefined ? undefined : { namespace, name };
  } catch {
    return undefined;
  }
}
