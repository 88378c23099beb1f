import type { Call } from '@heddle/kernel';
import { normalPath, principalOf } from '@heddle/mesh/authorization';
import { Fields, type HttpRequest, type HttpResponse, peer, wholeBody } from '@heddle/wire';

const longestAnswer = 1_048_576;

/** What OPA's data API is asked about a request; `path`: of the document that decides. */
export function opaQuestion(request: HttpRequest, call: Call, path: string): HttpRequest {
  return {
    ...request,
    method: 'POST',
    path,
    fields: Fields.of({ 'content-type': 'application/json', accept: 'application/json' }),
    body: wholeBody(new TextEncoder().encode(JSON.stringify({ input: opaInput(request, call) }))),
  };
}

/**
 * The request as policies for Envoy know it (opa-envoy-plugin), without its content: `attributes.request.http`,
 * `attributes.source` with the identity of the caller's certificate, `parsed_path` and `parsed_query`.
 */
export function opaInput({ method, path, authority, scheme, fields }: HttpRequest, call: Call): object {
  const normal = normalPath(path);
  const { pathname, searchParams } = new URL(`http://localhost${normal}`);
  const principal = principalOf(call);
  return {
    attributes: {
      request: {
        http: { method, path: normal, host: authority, scheme, headers: headersOf(fields) },
      },
      source: {
        address: { socketAddress: { address: call.get(peer)?.address.host ?? '' } },
        ...(principal !== '' && { principal: `spiffe://${principal}` }),
      },
    },
    parsed_path: pathname.split('/').slice(1),
    parsed_query: Object.fromEntries(
      [...new Set(searchParams.keys())].map((key) => [key, searchParams.getAll(key)]),
    ),
  };
}

function headersOf(fields: Fields): Readonly<Record<string, string>> {
  return Object.fromEntries([...fields].map(([name]) => [name.toLowerCase(), fields.all(name).join(',')]));
}

/** `true`, or an object whose `allowed` (or `allow`) is; all else is no, a document that is not there too. */
export async function isOpaAllowed({ status, body }: HttpResponse): Promise<boolean> {
  const bytes = await body.bytes(longestAnswer);
  if (status !== 200) return false;
  const { result } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly result?: unknown };
  if (typeof result !== 'object' || result === null) return result === true;
  const { allowed, allow = allowed } = result as { readonly allowed?: unknown; readonly allow?: unknown };
  return allow === true && (allowed === undefined || allowed === true);
}
