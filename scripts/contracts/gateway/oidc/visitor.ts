// A browser without a screen: keeps cookies, follows redirects, fills in the provider's forms.
import assert from 'node:assert/strict';
import { request } from 'node:http';

const mostSteps = 20;

/** What a visitor sends, apart from cookies. */
export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams;
}

/** What a visitor has got. */
export interface Arrived {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
  readonly setCookies: readonly string[];
}

/** Somebody with a browser. */
export class Visitor {
  /** By name, whoever has set it. */
  readonly cookies: Map<string, string> = new Map();
  /** Who has set it: a browser would not tell the ports of one host apart, but then no two sites share a host. */
  readonly #owners = new Map<string, string>();
  /** Where it has been, in order. */
  readonly been: string[] = [];
  /** Every `Set-Cookie` that it was given. */
  readonly given: string[] = [];

  /** One request, no redirect followed. */
  async ask(url: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Arrived> {
    this.been.push(url);
    const { origin } = new URL(url);
    const own = [...this.cookies].filter(([name]) => (this.#owners.get(name) ?? origin) === origin);
    const cookie = own.map(([name, value]) => `${name}=${value}`).join('; ');
    const isForm = body instanceof URLSearchParams;
    const all = {
      accept: 'text/html',
      ...(cookie !== '' && { cookie }),
      ...(isForm && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    };
    const answer = await exchange(url, method, all, body?.toString());
    for (const line of answer.setCookies) this.#keep(line, origin);
    return answer;
  }

  /** Goes to a page, and on as redirects say. */
  async go(url: string, sent: Sent = {}): Promise<Arrived> {
    let answer = await this.ask(url, sent);
    for (let step = 0; step < mostSteps; step++) {
      const { location, status } = answer;
      if (location === undefined || status < 300 || status > 399) return answer;
      answer = await this.ask(new URL(location, answer.url).href);
    }
    throw new Error(`redirected for ever: ${this.been.slice(-3).join(', ')}`);
  }

  /** Goes to a page of the gateway, logs in and consents where it is asked to. */
  async logIn(url: string, name = 'ann'): Promise<Arrived> {
    let page = await this.go(url);
    for (let step = 0; step < 3; step++) {
      const action = /<form[^>]*action="([^"]+)"/.exec(page.text)?.[1];
      if (action === undefined || !page.url.includes('/interaction/')) return page;
      const prompt = /name="prompt" value="(\w+)"/.exec(page.text)?.[1] ?? '';
      const body = new URLSearchParams({ prompt, login: name, password: 'any' });
      page = await this.go(action, { method: 'POST', body });
    }
    assert.fail(`the provider asks again and again: ${page.text.slice(0, 200)}`);
  }

  /** The `Location` of the first answer of the provider that points to the callback; the callback is not called. */
  async bringBack(url: string): Promise<string> {
    const before = this.been.length;
    await this.logIn(url);
    const back = this.been.slice(before).find((each) => each.includes('/oauth2/callback'));
    assert.ok(back !== undefined, 'the provider sends the browser back');
    return back;
  }

  #keep(line: string, origin: string): void {
    this.given.push(line);
    const [pair = '', ...attributes] = line.split(';').map((each) => each.trim());
    const equals = pair.indexOf('=');
    const ended = attributes.some(
      (each) => /^max-age=0$/i.test(each) || /^expires=Thu, 01 Jan 1970/i.test(each),
    );
    if (ended) this.cookies.delete(pair.slice(0, equals));
    else {
      this.cookies.set(pair.slice(0, equals), pair.slice(equals + 1));
      this.#owners.set(pair.slice(0, equals), origin);
    }
  }
}

/** By `node:http`, which says nothing of itself: `fetch` would say that it is a script. */
function exchange(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): Promise<Arrived> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    // As it is written: `new URL` would make another path of some.
    const path = url.slice(url.indexOf('/', 'http://'.length));
    const sent = request({ hostname, port, path, method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('error', reject);
      answer.on('end', () => {
        const { location, 'set-cookie': setCookies = [] } = answer.headers;
        resolve({ url, status: answer.statusCode ?? 0, text, location, setCookies });
      });
    });
    sent.on('error', reject).setTimeout(30_000, () => sent.destroy(new Error(`${url} does not answer`)));
    sent.end(body);
  });
}
