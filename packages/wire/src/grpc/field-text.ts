import { HeddleError } from '@heddle/kernel';

/** Base64 as gRPC writes it in `-bin` fields: without padding. For field values, so a few kilobytes. */
export function encodeBinary(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, '');
}

/** The bytes of a `-bin` field, with or without padding. Throws `internal` / `BAD_BINARY_FIELD` for anything else. */
export function decodeBinary(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    const message = 'a binary metadata field is not base64';
    throw new HeddleError({ code: 'internal', reason: 'BAD_BINARY_FIELD', message, cause });
  }
}

const unsafe = /[^\x20-\x24\x26-\x7e]/;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text as `grpc-message` has it: percent-encoded UTF-8 but for visible ASCII and blanks. */
export function encodeText(text: string): string {
  if (!unsafe.test(text)) return text;
  let out = '';
  for (const byte of encoder.encode(text)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** The text of a `grpc-message`. Never throws: as the protocol asks, what is not an escape stays as it is. */
export function decodeText(text: string): string {
  if (!text.includes('%')) return text;
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const hex = text[at] === '%' ? text.slice(at + 1, at + 3) : '';
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      at += 2;
    } else {
      bytes.push(...encoder.encode(text[at]));
    }
  }
  return decoder.decode(Uint8Array.from(bytes));
}
