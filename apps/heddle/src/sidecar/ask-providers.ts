import { HeddleError, perform, type Runtime } from '@heddle/kernel';
import type { AskProvider } from '@heddle/mesh/authorization';
import { timeout } from '@heddle/traffic';
import { emptyBody, endpoint, type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';

/** A request waits no longer for whoever decides about it. */
const askMs = 5000;

/**
 * Asks the providers of CUSTOM policies as Istio's `envoyExtAuthzHttp` do: the request without its content goes to the
 * provider's place, its path behind the provider's own; 200 is a yes, all else a no.
 */
export function askProviders(urls: ReadonlyMap<string, string>, runtime: Runtime): AskProvider {
  const providers = new Map(Array.from(urls, ([name, url]) => [name, provider(url, runtime)]));
  return async (name, request, call) => {
    const ask = providers.get(name);
    if (ask === undefined) throw unknown(name);
    const answer = await perform(ask, { ...request, body: emptyBody }, call.child());
    answer.body.cancel();
    return answer.status === 200;
  };
}

function provider(url: string, runtime: Runtime): HttpService {
  const { hostname, port, host, pathname } = new URL(url);
  const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
  const way = endpoint({ runtime, address, protocol: 'http1' });
  const bounded = timeout<HttpRequest, HttpResponse>({ ms: askMs })(way.request);
  const folder = pathname.replace(/\/$/, '');
  return (request, call) => {
    const fields = request.fields.clone().delete('content-length').set('x-forwarded-host', request.authority);
    return bounded(
      { ...request, fields, scheme: 'http', authority: host, path: folder + request.path },
      call,
    );
  };
}

function unknown(name: string): HeddleError {
  const message = `no provider ${name} is given to this sidecar (--provider ${name}=URL)`;
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_PROVIDER', message, sent: false });
}
