import { type Call, HeddleError, perform, type Runtime } from '@heddle/kernel';
import type { AskProvider } from '@heddle/mesh/authorization';
import { timeout } from '@heddle/traffic';
import { emptyBody, endpoint, type HttpRequest, type HttpResponse } from '@heddle/wire';
import { isOpaAllowed, opaQuestion } from './opa-provider.ts';

/** A request waits no longer for whoever decides about it. */
const askMs = 5000;

/** Whether a request may pass. */
type Ask = (request: HttpRequest, call: Call) => Promise<boolean>;

/**
 * Asks the providers of CUSTOM policies by their URLs. `http:`, as Istio's `envoyExtAuthzHttp` do: the request without its
 * content goes to the provider's place, its path behind the provider's own; 200 is a yes, all else a no. `opa+http:`, a
 * document of Open Policy Agent (`opaInput`).
 */
export function askProviders(urls: ReadonlyMap<string, string>, runtime: Runtime): AskProvider {
  const providers = new Map(Array.from(urls, ([name, url]) => [name, provider(url, runtime)]));
  return async (name, request, call) => {
    const ask = providers.get(name);
    if (ask === undefined) throw unknown(name);
    return ask(request, call);
  };
}

function provider(url: string, runtime: Runtime): Ask {
  const isOpa = url.startsWith('opa+');
  const { hostname, port, host, pathname } = new URL(url.replace(/^opa\+/, ''));
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
  const way = endpoint({ runtime, address, protocol: 'http1' });
  const bounded = timeout<HttpRequest, HttpResponse>({ ms: askMs })(way.request);
  const folder = pathname.replace(/\/$/, '');
  return async (request, call) => {
    const question = isOpa ? opaQuestion(request, call, pathname) : httpQuestion(request, folder);
    const answer = await perform(bounded, { ...question, scheme: 'http', authority: host }, call.child());
    if (isOpa) return isOpaAllowed(answer);
    answer.body.cancel();
    return answer.status === 200;
  };
}

function httpQuestion(request: HttpRequest, folder: string): HttpRequest {
  const fields = request.fields.clone().delete('content-length').set('x-forwarded-host', request.authority);
  return { ...request, fields, path: folder + request.path, body: emptyBody };
}

function unknown(name: string): HeddleError {
  const message = `no provider ${name} is given to this sidecar (--provider ${name}=URL)`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_PROVIDER', message, sent: false });
}
