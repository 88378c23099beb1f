import { ConnectionFault, errorCode } from './error-code.ts';
import { defaultFrameBytes, initialWindowBytes, largest31, readUint32 } from './frame.ts';
import { defaultTableBytes } from './hpack/decoder.ts';

/** Identifiers of settings (RFC 9113 section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1). */
export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
  noRfc7540Priorities: 9,
} as const;

const largestFrameBytes = 0xff_ffff;

/** What the peer has asked for; at first, what holds where it asks for nothing. */
export class PeerSettings {
  headerTableBytes: number = defaultTableBytes;
  maxConcurrentStreams: number = Number.POSITIVE_INFINITY;
  initialWindowBytes: number = initialWindowBytes;
  maxHeaderListBytes: number = Number.POSITIVE_INFINITY;
  connectProtocol = false;

  /** Takes over the payload of a SETTINGS frame. Throws `ConnectionFault` for a value that may not be. */
  apply(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at += 6) {
      this.#set(((bytes[at] as number) << 8) | (bytes[at + 1] as number), readUint32(bytes, at + 2));
    }
  }

  #set(identifier: number, value: number): void {
    switch (identifier) {
      case setting.headerTableSize:
        this.headerTableBytes = value;
        break;
      case setting.enablePush:
        if (value > 1) throw refused('ENABLE_PUSH', value, errorCode.protocolError);
        break;
      case setting.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        break;
      case setting.initialWindowSize:
        if (value > largest31) throw refused('INITIAL_WINDOW_SIZE', value, errorCode.flowControlError);
        this.initialWindowBytes = value;
        break;
      case setting.maxFrameSize:
        if (value < defaultFrameBytes || value > largestFrameBytes) {
          throw refused('MAX_FRAME_SIZE', value, errorCode.protocolError);
        }
        // Never used: frames of the size that everybody takes lose nothing, and share the connection more fairly.
        break;
      case setting.maxHeaderListSize:
        this.maxHeaderListBytes = value;
        break;
      case setting.enableConnectProtocol:
        if (value > 1 || (value === 0 && this.connectProtocol)) {
          throw refused('ENABLE_CONNECT_PROTOCOL', value, errorCode.protocolError);
        }
        this.connectProtocol = value === 1;
        break;
      default:
      // Unknown settings are ignored (RFC 9113 section 6.5.2).
    }
  }
}

function refused(name: string, value: number, code: number): ConnectionFault {
  return new ConnectionFault(code, `SETTINGS_${name} of ${value}`);
}
