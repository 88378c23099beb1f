/** A host as routes compare it: lower case, without port and without the final dot. */
export function hostOf(authority: string): string {
  const withoutPort = authority.replace(/:\d*$/, '').toLowerCase();
  return withoutPort.endsWith('.') ? withoutPort.slice(0, -1) : withoutPort;
}
