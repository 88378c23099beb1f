import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Contract, type JsonObject, readContract, readDescriptors } from '@heddle/api';
import { HeddleError } from '@heddle/kernel';
import { parse as parseYaml } from 'yaml';

/** Whether a word names a file rather than a service. */
export function isContractFile(word: string): boolean {
  return /[/\\.]/.test(word) && existsSync(word);
}

/**
 * The contract in a file: an OpenAPI or AsyncAPI document in YAML or JSON, a `FileDescriptorSet` (`.binpb`, `.pb`,
 * `.desc`), or a whole contract as JSON. Rejects with `not_found` / `FILE_UNREADABLE` or `BAD_CONTRACT`.
 */
export function readContractFile(file: string): Contract {
  const bytes = bytesOf(file);
  if (/\.(binpb|pb|desc)$/.test(file)) {
    const descriptors = bytes.toString('base64');
    readDescriptors(descriptors);
    return { descriptors };
  }
  let value: unknown;
  try {
    value = parseYaml(bytes.toString('utf8'), { strict: true, uniqueKeys: true });
  } catch (thrown) {
    throw badFile(file, thrown instanceof Error ? thrown.message : String(thrown));
  }
  const { openapi, asyncapi } = (typeof value === 'object' && value !== null ? value : {}) as JsonObject;
  try {
    if (typeof openapi === 'string') return readContract({ openapi: value });
    return readContract(typeof asyncapi === 'string' ? { asyncapi: value } : value);
  } catch (thrown) {
    throw badFile(file, HeddleError.from(thrown).message);
  }
}

/** Writes files below a folder, which is made. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const place = path.join(folder, name);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, content);
  }
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `the contract ${file} cannot be read: ${why}`;
    throw new HeddleError({ code: 'not_found', reason: 'FILE_UNREADABLE', message, cause: thrown });
  }
}

function badFile(file: string, why: string): HeddleError {
  return new HeddleError({
    code: 'invalid_argument',
    reason: 'BAD_CONTRACT',
    message: `${file}: ${why}`,
    sent: false,
  });
}
