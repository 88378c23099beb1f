/**
 * True for `authorization: Bearer <token>`. Takes as long for a wrong token as for the right one, so that nobody can
 * guess it letter by letter.
 */
export function isBearer(given: string, token: string): boolean {
  const wanted = `Bearer ${token}`;
  let difference = given.length ^ wanted.length;
  for (let at = 0; at < wanted.length; at++)
    difference |= given.charCodeAt(at % (given.length || 1)) ^ wanted.charCodeAt(at);
  return difference === 0;
}
