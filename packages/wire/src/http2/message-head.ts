import { Fields } from '../message/fields.ts';
import type { FieldSink } from './hpack/decoder.ts';
import { type HeaderField, trait } from './hpack/header-field.ts';
import { type KnownSection, lastCounts, lastName } from './known-sections.ts';
import type { Http2Limits } from './limits.ts';

// Fields of the section that is being decoded; sections of all connections are, one after the other, since nothing
// happens between a section's first field and `takeFields`. An array that grew to its size by itself would cost twice.
const kept: string[] = [];

/**
 * Collects one decoded header or trailer section and judges it by the rules that hold for all of them (RFC 9113
 * section 8.2 and 8.3). One for a connection: `begin` makes it ready for the next section.
 */
export class MessageHead implements FieldSink {
  method: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  path: string | undefined;
  protocol: string | undefined;
  status: string | undefined;
  host: string | undefined;
  contentLength: number | undefined;
  expectContinue = false;
  /** Why the section is malformed; undefined if it is not. The first thing that was found. */
  problem: string | undefined;
  /** It was larger than the limits; what came after that was dropped. */
  tooLarge = false;
  /** Any pseudo-field. A trailer section must have none. */
  pseudo = false;

  readonly #limits: Http2Limits;
  #known: KnownSection | undefined;
  /** The value of the field that comes behind what is known. */
  #last: string | undefined;
  #kept = 0;
  #cookies: string[] | undefined;
  #bytes = 0;
  #count = 0;
  // A field other than a pseudo-field was there.
  #regular = false;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  begin(): void {
    this.method = undefined;
    this.scheme = undefined;
    this.authority = undefined;
    this.path = undefined;
    this.protocol = undefined;
    this.status = undefined;
    this.host = undefined;
    this.contentLength = undefined;
    this.expectContinue = false;
    this.problem = undefined;
    this.tooLarge = false;
    this.pseudo = false;
    this.#known = undefined;
    this.#last = undefined;
    this.#kept = 0;
    this.#cookies = undefined;
    this.#bytes = 0;
    this.#count = 0;
    this.#regular = false;
  }

  /** The fields that are neither pseudo nor about framing, which now belong to the caller. */
  takeFields(): Fields {
    if (this.#known !== undefined) {
      const raw = this.#known.raw.slice();
      if (this.#last !== undefined) raw.push(lastName, this.#last);
      return new Fields(raw);
    }
    // Crumbs are one field again for everybody else (RFC 9113 section 8.2.3).
    if (this.#cookies !== undefined) this.#keep('cookie', this.#cookies.join('; '));
    const raw = kept.slice(0, this.#kept);
    this.#kept = 0;
    return new Fields(raw);
  }

  /**
   * Instead of `begin` and decoding: the section is this one again, with `last` behind it if there is one. False: that is more
   * than may be taken, and nothing has been done.
   */
  recall(section: KnownSection, last: string | undefined): boolean {
    const { maxHeaderListBytes, maxHeaderFields } = this.#limits;
    if (last !== undefined && section.listBytes + lastCounts > maxHeaderListBytes) return false;
    if (last !== undefined && section.count >= maxHeaderFields) return false;
    this.begin();
    this.method = section.method;
    this.scheme = section.scheme;
    this.authority = section.authority;
    this.path = section.path;
    this.protocol = section.protocol;
    this.status = section.status;
    this.host = section.host;
    this.contentLength = section.contentLength;
    this.pseudo = section.pseudo;
    this.#known = section;
    this.#last = last;
    return true;
  }

  /**
   * What the decoded section says, to be kept; undefined for one that is faulty, or too special to be seen again. `hasLast`: its
   * last field is one that `steadyEnd` has found, and is not kept with the others.
   */
  memorise(hasLast: boolean): KnownSection | undefined {
    const { method, scheme, authority, path, protocol, status, host, contentLength, pseudo } = this;
    const special = this.#cookies !== undefined || this.expectContinue;
    if (this.problem !== undefined || this.tooLarge || special) return undefined;
    const raw = kept.slice(0, hasLast ? this.#kept - 2 : this.#kept);
    this.#last = hasLast ? kept[this.#kept - 1] : undefined;
    const parts = { method, scheme, authority, path, protocol, status, host, contentLength, pseudo };
    const counted = hasLast
      ? { listBytes: this.#bytes - lastCounts, count: this.#count - 1 }
      : { listBytes: this.#bytes, count: this.#count };
    this.#known = { ...parts, ...counted, raw, isRequest: false };
    return this.#known;
  }

  /** The section is one that was accepted as the head of a request. */
  get isRequest(): boolean {
    return this.#known?.isRequest === true;
  }

  /** Remembers that it was. */
  acceptRequest(): void {
    if (this.#known !== undefined) this.#known.isRequest = true;
  }

  #keep(name: string, value: string): void {
    kept[this.#kept++] = name;
    kept[this.#kept++] = value;
  }

  field(field: HeaderField): void {
    this.#bytes += field.size;
    this.#count++;
    if (this.#bytes > this.#limits.maxHeaderListBytes || this.#count > this.#limits.maxHeaderFields) {
      this.tooLarge = true;
    } else if (field.traits === 0) {
      this.#regular = true;
      this.#keep(field.name, field.value);
    } else if (this.problem === undefined) {
      this.problem = this.#special(field);
    }
  }

  #special({ name, value, traits }: HeaderField): string | undefined {
    if ((traits & trait.malformed) !== 0) return 'a field name or value that is not allowed';
    if ((traits & trait.connection) !== 0) return `the connection-specific field ${name}`;
    if ((traits & trait.pseudo) !== 0) return this.#pseudo(name, value);
    this.#regular = true;
    return this.#framing(name, value);
  }

  #pseudo(name: string, value: string): string | undefined {
    this.pseudo = true;
    if (this.#regular) return 'a pseudo-field after a field';
    switch (name) {
      case ':method':
        if (this.method !== undefined) return twice(name);
        this.method = value;
        return undefined;
      case ':scheme':
        if (this.scheme !== undefined) return twice(name);
        this.scheme = value;
        return undefined;
      case ':authority':
        if (this.authority !== undefined) return twice(name);
        this.authority = value;
        return undefined;
      case ':path':
        if (this.path !== undefined) return twice(name);
        this.path = value;
        return undefined;
      case ':protocol':
        if (this.protocol !== undefined) return twice(name);
        this.protocol = value;
        return undefined;
      case ':status':
        if (this.status !== undefined) return twice(name);
        this.status = value;
        return undefined;
      default:
        return 'an unknown pseudo-field';
    }
  }

  #framing(name: string, value: string): string | undefined {
    switch (name) {
      case 'cookie':
        this.#cookies ??= [];
        this.#cookies.push(value);
        return undefined;
      case 'host':
        if (this.host !== undefined) return twice(name);
        this.host = value;
        return undefined;
      case 'expect':
        this.expectContinue = value.toLowerCase() === '100-continue';
        if (!this.expectContinue) this.#keep(name, value);
        return undefined;
      default:
        if (this.contentLength !== undefined) return twice(name);
        // Fifteen digits stay exact; no content is that long.
        if (!/^[0-9]{1,15}$/.test(value)) return 'a content-length that is not a number';
        this.contentLength = Number(value);
        return undefined;
    }
  }
}

function twice(name: string): string {
  return `${name} twice`;
}
