import type { Runtime } from '@heddle/kernel';
import { ConnectionFault, type ErrorCode, errorCode, StreamFault } from './error-code.ts';
import { flag, frameType, largest31, readUint31, readUint32 } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { writePing, writeSettingsAck } from './frame-writer.ts';
import { HeaderAssembly } from './header-assembly.ts';
import { HpackDecoder, HpackError } from './hpack/decoder.ts';
import { KnownSections, lastValue, steadyEnd } from './known-sections.ts';
import type { Link } from './link.ts';
import type { MessageHead } from './message-head.ts';
import type { Http2Stream } from './stream.ts';
import type { StreamTable } from './stream-table.ts';

// A SETTINGS frame touches every open stream.
const settingsCost = 10;

/** What frames are about: the connection that they come in on. What it throws is a `ConnectionFault` or `StreamFault`. */
export interface FrameSession extends Link {
  readonly runtime: Runtime;
  readonly streams: StreamTable<Http2Stream>;
  /** Where header sections are decoded into. */
  readonly head: MessageHead;
  /** What we still take on the connection as a whole. */
  receiveWindow: number;
  /** The peer knows our settings. */
  readonly settingsAcknowledged: boolean;
  /** It has just said so. */
  settingsKnown(): void;
  /** A header section has been decoded into `head`. */
  headReceived(streamId: number, endStream: boolean): void;
  /** The peer has reset a stream that was open. */
  resetReceived(stream: Http2Stream, code: ErrorCode): void;
  goawayReceived(lastStreamId: number, code: ErrorCode, debug: string): void;
  /** The peer's settings came, at first or again. */
  settingsReceived(): void;
  /** The peer has answered a PING. False: we had sent none. */
  pingAnswered(): boolean;
  /** The connection's window has opened. */
  windowOpened(): void;
  /** True for a stream that nobody has opened yet. */
  isIdle(streamId: number): boolean;
  /** We have reset that stream not long ago: what comes for it was sent before the peer knew. */
  wasReset(streamId: number): boolean;
  /** That content fits into the window which the peer had on a stream when we reset it: it did nothing wrong. */
  excuses(streamId: number, contentBytes: number): boolean;
  /** The peer broke the protocol on one stream. */
  streamFault(streamId: number, code: ErrorCode, message: string): void;
}

/** Does what each frame says, by the rules of RFC 9113 sections 5 and 6. */
export class FrameReceiver {
  readonly #session: FrameSession;
  readonly #reader: FrameReader;
  readonly #assembly: HeaderAssembly;
  readonly #known = new KnownSections();
  #decoder: HpackDecoder | undefined;
  #settingsSeen = false;

  constructor(session: FrameSession) {
    this.#session = session;
    this.#assembly = new HeaderAssembly(session.limits);
    this.#reader = new FrameReader((type, flags, streamId, bytes, start, end) => {
      try {
        this.#frame(type, flags, streamId, bytes, start, end);
      } catch (thrown) {
        if (!(thrown instanceof StreamFault)) throw thrown;
        this.#streamFault(thrown);
      }
    });
  }

  /** A header block is unfinished since then; undefined if none is. */
  get headerBegunMs(): number | undefined {
    return this.#assembly.streamId === 0 ? undefined : this.#assembly.begunMs;
  }

  /** The peer has sent its first SETTINGS. */
  get settingsSeen(): boolean {
    return this.#settingsSeen;
  }

  /** Throws `ConnectionFault`. */
  read(chunk: Buffer): void {
    this.#reader.read(chunk);
  }

  stop(): void {
    this.#reader.stop();
  }

  #streamFault(fault: StreamFault): void {
    const { streamId, code, message } = fault;
    this.#session.streamFault(streamId, code, message);
    this.#session.guard.fault();
  }

  #frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const assembling = this.#assembly.streamId;
    if (assembling !== 0 && (type !== frameType.continuation || streamId !== assembling)) {
      throw broken('a header block was interrupted');
    }
    if (!this.#settingsSeen && type !== frameType.settings) throw broken('the first frame is not SETTINGS');
    switch (type) {
      case frameType.data:
        return this.#data(flags, streamId, bytes, start, end);
      case frameType.headers:
        return this.#headers(flags, streamId, bytes, start, end);
      case frameType.windowUpdate:
        return this.#windowUpdate(streamId, bytes, start, end);
      case frameType.rstStream:
        return this.#rstStream(streamId, bytes, start, end);
      case frameType.settings:
        return this.#settings(flags, streamId, bytes, start, end);
      case frameType.ping:
        return this.#ping(flags, streamId, bytes, start, end);
      case frameType.goaway:
        return this.#goaway(streamId, bytes, start, end);
      case frameType.continuation:
        return this.#continuation(flags, bytes, start, end);
      case frameType.priority:
        return this.#priority(streamId, bytes, start, end);
      case frameType.pushPromise:
        // A client has switched it off, and a server never gets one.
        throw broken('PUSH_PROMISE');
      case frameType.priorityUpdate:
        return this.#session.guard.control('priorities');
      default:
        return this.#session.guard.control('strays');
    }
  }

  #data(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const session = this.#session;
    const flowBytes = end - start;
    if (streamId === 0) throw broken('DATA on stream 0');
    session.receiveWindow -= flowBytes;
    if (session.receiveWindow < 0) {
      throw new ConnectionFault(errorCode.flowControlError, 'more content than the connection window allows');
    }
    const from = (flags & flag.padded) === 0 ? start : start + 1;
    const to = (flags & flag.padded) === 0 ? end : unpadded(bytes, start, end);
    const endStream = (flags & flag.endStream) !== 0;
    const stream = session.streams.get(streamId);
    if (stream === undefined || stream.receive.ended) {
      session.credit(flowBytes);
      this.#strayContent(streamId, flowBytes);
      return;
    }
    if (!stream.headSeen) throw new StreamFault(streamId, errorCode.protocolError, 'DATA before HEADERS');
    if (to > from) session.guard.work();
    else if (!endStream) session.guard.control('emptyData');
    const content = new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
    stream.receive.data(content, flowBytes, endStream);
    if (endStream) stream.receiveEnded();
  }

  #strayContent(streamId: number, flowBytes: number): void {
    const session = this.#session;
    if (session.isIdle(streamId)) throw broken('DATA on an idle stream');
    if (!session.wasReset(streamId))
      throw new StreamFault(streamId, errorCode.streamClosed, 'DATA on a closed stream');
    if (!session.excuses(streamId, flowBytes)) session.guard.control('strays');
  }

  #headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw broken('HEADERS on stream 0');
    let from = start;
    let to = end;
    if ((flags & flag.padded) !== 0) {
      to = unpadded(bytes, start, end);
      from++;
    }
    let dependsOnItself = false;
    if ((flags & flag.priority) !== 0) {
      if (to - from < 5)
        throw new ConnectionFault(errorCode.frameSizeError, 'HEADERS without room for its priority');
      dependsOnItself = readUint31(bytes, from) === streamId;
      from += 5;
    }
    const endStream = (flags & flag.endStream) !== 0;
    if ((flags & flag.endHeaders) === 0) {
      const nowMs = this.#session.runtime.clock.nowMs();
      this.#guarded(() => this.#assembly.begin(streamId, endStream, bytes, from, to, nowMs));
      this.#assembly.dependsOnItself = dependsOnItself;
    } else {
      this.#block(streamId, endStream, bytes, from, to);
      if (dependsOnItself) throw ownParent(streamId);
    }
  }

  #continuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const assembly = this.#assembly;
    const { streamId, endStream, dependsOnItself } = assembly;
    if (streamId === 0) throw broken('CONTINUATION without HEADERS');
    this.#guarded(() => assembly.add(bytes, start, end));
    if ((flags & flag.endHeaders) === 0) return;
    const block = assembly.take();
    this.#block(streamId, endStream, block, 0, block.length);
    // Only now: a stream that was reset before its block is complete would look new when it is.
    if (dependsOnItself) throw ownParent(streamId);
  }

  #guarded(append: () => void): void {
    try {
      append();
    } catch (thrown) {
      this.#session.guard.counters.continuations++;
      throw thrown;
    }
  }

  #block(streamId: number, endStream: boolean, bytes: Buffer, start: number, end: number): void {
    const { head } = this.#session;
    const decoder = (this.#decoder ??= new HpackDecoder());
    const steady = steadyEnd(bytes, start, end);
    const known = this.#known.find(bytes, start, steady, decoder.state);
    const last = steady === end ? undefined : lastValue(bytes, end);
    if (known === undefined || !head.recall(known, last))
      this.#decode(decoder, bytes, { start, steady, end });
    if (head.tooLarge) this.#session.guard.counters.largeHeaders++;
    this.#session.headReceived(streamId, endStream);
  }

  #decode(
    decoder: HpackDecoder,
    bytes: Buffer,
    { start, steady, end }: { readonly start: number; readonly steady: number; readonly end: number },
  ): void {
    const { head } = this.#session;
    const before = decoder.state;
    head.begin();
    try {
      decoder.decode(bytes, start, end, head);
    } catch (thrown) {
      if (!(thrown instanceof HpackError)) throw thrown;
      throw new ConnectionFault(errorCode.compressionError, thrown.message);
    }
    if (decoder.state !== before || !this.#known.wants(start, steady)) return;
    const section = head.memorise(steady !== end);
    if (section !== undefined) this.#known.keep(bytes, start, steady, before, section);
  }

  #windowUpdate(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4)
      throw new ConnectionFault(errorCode.frameSizeError, 'WINDOW_UPDATE not of 4 bytes');
    const session = this.#session;
    const increment = readUint31(bytes, start);
    session.guard.control('windowUpdates');
    if (streamId === 0) {
      if (increment === 0) throw broken('WINDOW_UPDATE by 0');
      session.sendWindow += increment;
      if (session.sendWindow > largest31) {
        throw new ConnectionFault(errorCode.flowControlError, 'the connection window is too large');
      }
      session.windowOpened();
      return;
    }
    const stream = session.streams.get(streamId);
    if (stream === undefined) {
      if (session.isIdle(streamId)) throw broken('WINDOW_UPDATE on an idle stream');
      return;
    }
    if (increment === 0) throw new StreamFault(streamId, errorCode.protocolError, 'WINDOW_UPDATE by 0');
    if (stream.send.window + increment > largest31) {
      throw new StreamFault(streamId, errorCode.flowControlError, 'the window is too large');
    }
    stream.send.window += increment;
    stream.send.proceed();
  }

  #rstStream(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw broken('RST_STREAM on stream 0');
    if (end - start !== 4) throw new ConnectionFault(errorCode.frameSizeError, 'RST_STREAM not of 4 bytes');
    const session = this.#session;
    const stream = session.streams.get(streamId);
    if (stream !== undefined) session.resetReceived(stream, readUint32(bytes, start));
    else if (session.isIdle(streamId)) throw broken('RST_STREAM on an idle stream');
    else session.guard.control('strays');
  }

  #settings(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const session = this.#session;
    if (streamId !== 0) throw broken('SETTINGS on a stream');
    if ((flags & flag.ack) !== 0) {
      if (end > start)
        throw new ConnectionFault(errorCode.frameSizeError, 'SETTINGS acknowledged with a payload');
      if (!this.#settingsSeen) throw broken('the first frame is not SETTINGS');
      if (session.settingsAcknowledged) session.guard.control('settings');
      else session.settingsKnown();
      return;
    }
    if ((end - start) % 6 !== 0)
      throw new ConnectionFault(errorCode.frameSizeError, 'SETTINGS not of whole entries');
    if (this.#settingsSeen) session.guard.control('settings', settingsCost);
    this.#settingsSeen = true;
    const { peer } = session;
    const windowBefore = peer.initialWindowBytes;
    peer.apply(bytes, start, end);
    session.headerWriter.resizeTable(peer.headerTableBytes);
    writeSettingsAck(session.output);
    if (peer.initialWindowBytes !== windowBefore) this.#moveWindows(peer.initialWindowBytes - windowBefore);
    session.settingsReceived();
  }

  /** RFC 9113 section 6.9.2: the new size holds for open streams too, whose windows may become negative. */
  #moveWindows(by: number): void {
    for (const stream of this.#session.streams.values()) {
      stream.send.window += by;
      if (stream.send.window > largest31) {
        throw new ConnectionFault(errorCode.flowControlError, 'the window of a stream is too large');
      }
    }
    if (by > 0) for (const stream of this.#session.streams.values()) stream.send.proceed();
  }

  #ping(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw broken('PING on a stream');
    if (end - start !== 8) throw new ConnectionFault(errorCode.frameSizeError, 'PING not of 8 bytes');
    if ((flags & flag.ack) !== 0 && this.#session.pingAnswered()) return;
    this.#session.guard.ping(this.#session.streams.size);
    if ((flags & flag.ack) === 0) writePing(this.#session.output, true, bytes, start);
  }

  #goaway(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId !== 0) throw broken('GOAWAY on a stream');
    if (end - start < 8) throw new ConnectionFault(errorCode.frameSizeError, 'GOAWAY of less than 8 bytes');
    this.#session.guard.control('strays');
    const debug = bytes.toString('latin1', start + 8, Math.min(end, start + 136));
    this.#session.goawayReceived(readUint31(bytes, start), readUint32(bytes, start + 4), debug);
  }

  /** Priorities of RFC 7540 are checked and ignored (RFC 9113 section 5.3.2). */
  #priority(streamId: number, bytes: Buffer, start: number, end: number): void {
    if (streamId === 0) throw broken('PRIORITY on stream 0');
    this.#session.guard.control('priorities');
    const idle = this.#session.isIdle(streamId);
    if (end - start !== 5) {
      if (idle) throw new ConnectionFault(errorCode.frameSizeError, 'PRIORITY not of 5 bytes');
      throw new StreamFault(streamId, errorCode.frameSizeError, 'PRIORITY not of 5 bytes');
    }
    if (readUint31(bytes, start) !== streamId) return;
    if (idle) throw broken('a stream that depends on itself');
    throw ownParent(streamId);
  }
}

/** Where the content of a padded frame ends. */
function unpadded(bytes: Buffer, start: number, end: number): number {
  if (end === start)
    throw new ConnectionFault(errorCode.frameSizeError, 'a padded frame without its pad length');
  const to = end - (bytes[start] as number);
  if (to < start + 1) throw broken('more padding than payload');
  return to;
}

function broken(message: string): ConnectionFault {
  return new ConnectionFault(errorCode.protocolError, message);
}

function ownParent(streamId: number): StreamFault {
  return new StreamFault(streamId, errorCode.protocolError, 'a stream that depends on itself');
}
