import { type Call, HeddleError } from '@heddle/kernel';
import { emptyBody, Fields, type HttpService, wholeBody } from '@heddle/wire';

/** How the console reaches the mesh of its control plane. */
export interface MeshAccess {
  /** The mesh's own API; undefined: this control plane serves none. */
  readonly mesh: HttpService | undefined;
  /** What its API is asked with. */
  readonly token: string;
}

/** The mesh's own API, asked in this process. Rejects with what it refuses. */
export async function asked<T>(
  { mesh, token }: MeshAccess,
  method: 'GET' | 'POST',
  path: string,
  content: object | undefined,
  call: Call,
): Promise<T> {
  if (mesh === undefined) throw noMesh();
  const fields = Fields.of({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });
  const body =
    content === undefined ? emptyBody : wholeBody(new TextEncoder().encode(JSON.stringify(content)));
  const answer = await mesh({ method, scheme: 'http', authority: 'localhost', path, fields, body }, call);
  const said = JSON.parse(new TextDecoder().decode(await answer.body.bytes(64 * 1024 * 1024))) as T;
  if (answer.status === 200) return said;
  const { reason = 'MESH_REFUSED', message = `the mesh answered ${answer.status}` } = said as {
    reason?: string;
    message?: string;
  };
  throw new HeddleError({ code: 'failed_precondition', reason, message, sent: false });
}

/** For a control plane that has none. */
export function noMesh(): HeddleError {
  const message = 'this control plane serves no mesh: start it with --mesh PLACE';
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_MESH', message, sent: false });
}
