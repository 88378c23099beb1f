/** True if some name is meant by both patterns. */
export function overlap(a: string, b: string): boolean {
  if (a === '*' || b === '*' || a === b) return true;
  if (a.startsWith('*') && b.startsWith('*')) return a.endsWith(b.slice(1)) || b.endsWith(a.slice(1));
  return (a.startsWith('*') && b.endsWith(a.slice(1))) || (b.startsWith('*') && a.endsWith(b.slice(1)));
}
