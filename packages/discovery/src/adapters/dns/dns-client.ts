import { type Address, Call, HeddleError, type Runtime } from '@heddle/kernel';
import type { Datagrams } from './datagrams.ts';
import {
  type DnsMessage,
  type DnsRecord,
  decodeMessage,
  encodeQuery,
  type RecordType,
  recordTypes,
} from './dns-message.ts';
import { exchangeByTcp } from './tcp-exchange.ts';

/** Whom to ask, and how. */
export interface DnsClientOptions {
  readonly runtime: Runtime;
  readonly datagrams: Datagrams;
  /** Resolvers, as IP literals; asked in turn, each twice, until one answers. */
  readonly servers: readonly Address[];
  /** Deadline of each try. Default 2000. */
  readonly timeoutMs?: number;
}

/** What a name has of one type. Nothing at all is an answer too. */
export interface DnsAnswer {
  readonly records: readonly DnsRecord[];
  /** Records of other names that came along: addresses of an SRV record's targets. */
  readonly additionals: readonly DnsRecord[];
  /** How long it may be kept. */
  readonly ttlMs: number;
}

const triesPerServer = 2;
// RFC 2308: a negative answer without an SOA is not to be kept; this only bounds how often it is asked for.
const negativeTtlMs = 1000;
const longestNegativeMs = 300_000;
const longestCnameChain = 8;
const cacheSize = 10_000;

/**
 * A stub resolver: asks recursive servers, keeps answers for their TTL (negative ones too, RFC 2308), and asks by TCP
 * what does not fit into a datagram.
 */
export class DnsClient {
  readonly #options: DnsClientOptions;
  readonly #cache = new Map<string, { readonly answer: DnsAnswer; readonly untilMs: number }>();

  constructor(options: DnsClientOptions) {
    if (options.servers.length === 0) throw noServer();
    this.#options = options;
  }

  /** Rejects with `unavailable`: `DNS_FAILED` if no server gave an answer, and as names and bytes can be wrong. */
  async ask(name: string, type: RecordType): Promise<DnsAnswer> {
    const key = `${type} ${name.toLowerCase().replace(/\.$/, '')}`;
    const nowMs = this.#options.runtime.clock.nowMs();
    const known = this.#cache.get(key);
    if (known !== undefined && nowMs < known.untilMs)
      return { ...known.answer, ttlMs: known.untilMs - nowMs };
    const answer = answerOf(await this.#askAny(name, type), key.slice(type.length + 1), type);
    this.#cache.delete(key);
    if (answer.ttlMs > 0) this.#cache.set(key, { answer, untilMs: nowMs + answer.ttlMs });
    const [oldest] = this.#cache.size > cacheSize ? this.#cache.keys() : [];
    if (oldest !== undefined) this.#cache.delete(oldest);
    return answer;
  }

  async #askAny(name: string, type: RecordType): Promise<DnsMessage> {
    let last: HeddleError | undefined;
    for (let round = 0; round < triesPerServer; round++) {
      for (const server of this.#options.servers) {
        try {
          const message = await this.#askOne(server, name, type);
          if (message.rcode === 0 || message.rcode === 3) return message;
          last = failed(`${server.host}:${server.port} answered with code ${message.rcode}`, undefined);
        } catch (thrown) {
          last = HeddleError.from(thrown);
          if (last.code === 'invalid_argument') throw last;
        }
      }
    }
    throw failed(`no DNS server answered for ${type} of ${name}: ${last?.message}`, last);
  }

  async #askOne(server: Address, name: string, type: RecordType): Promise<DnsMessage> {
    const { runtime, datagrams, timeoutMs = 2000 } = this.#options;
    const id = runtime.random.uint32() & 0xffff;
    const query = encodeQuery(id, name, type);
    const asked = name.toLowerCase().replace(/\.$/, '');
    const call = Call.root(runtime, runtime.clock.nowMs() + timeoutMs);
    const limit = runtime.timers.after(timeoutMs, () => call.cancel(tooSlow(server, timeoutMs)));
    const read = (reply: Uint8Array): DnsMessage | undefined => {
      const message = decodeOr(reply);
      const isOurs = message?.isResponse === true && message.id === id;
      const { question } = message ?? {};
      return isOurs && question?.name === asked && question.type === recordTypes[type] ? message : undefined;
    };
    try {
      const reply = await datagrams(query, server, (bytes) => read(bytes) !== undefined, call);
      const message = read(reply);
      if (message?.truncated === false) return message;
      const whole = read(await exchangeByTcp(runtime, server, query, call));
      if (whole === undefined) throw failed('the answer by TCP was to another question', undefined);
      return whole;
    } finally {
      limit.cancel();
      call.end();
    }
  }
}

/** Follows the aliases within the answer, so that records of a name that was not asked for are not believed. */
function answerOf(message: DnsMessage, name: string, type: RecordType): DnsAnswer {
  const { answers, authorities, additionals } = message;
  let current = name;
  let aliasTtl = Number.POSITIVE_INFINITY;
  for (let link = 0; link < longestCnameChain; link++) {
    const alias = answers.find((record) => record.type === 'CNAME' && record.name === current);
    if (alias?.type !== 'CNAME') break;
    current = alias.data;
    aliasTtl = Math.min(aliasTtl, alias.ttlSeconds);
  }
  const records = answers.filter((record) => record.type === type && record.name === current);
  if (records.length > 0) {
    const ttlSeconds = Math.min(aliasTtl, ...records.map(({ ttlSeconds: own }) => own));
    return { records, additionals, ttlMs: ttlSeconds * 1000 };
  }
  const soa = authorities.find((record) => record.type === 'SOA');
  const keepMs = soa?.type === 'SOA' ? Math.min(soa.ttlSeconds, soa.data) * 1000 : negativeTtlMs;
  return { records, additionals: [], ttlMs: Math.min(keepMs, longestNegativeMs) };
}

function decodeOr(bytes: Uint8Array): DnsMessage | undefined {
  try {
    return decodeMessage(bytes);
  } catch {
    return undefined;
  }
}

function tooSlow({ host, port }: Address, timeoutMs: number): HeddleError {
  const message = `the DNS server at ${host}:${port} did not answer within ${timeoutMs} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'DNS_TIMEOUT', message });
}

function failed(message: string, cause: HeddleError | undefined): HeddleError {
  return new HeddleError({ code: 'unavailable', reason: 'DNS_FAILED', message, cause });
}

function noServer(): HeddleError {
  const message = 'expected at least one DNS server, found none';
  return new HeddleError({ code: 'invalid_argument', reason: 'NO_DNS_SERVER', message, sent: false });
}
