// ZooKeeper's records (zookeeper-jute, `zookeeper.jute`), as far as a registry needs them.
import { JuteReader } from './jute-reader.ts';
import { JuteWriter } from './jute-writer.ts';

/** Numbers that are answered by no request: those of the server's own packets. */
export const xids = { notification: -1, ping: -2, auth: -4 } as const;

/** Kinds of requests. */
export const opcodes = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getChildren: 8,
  ping: 11,
  multi: 14,
  createContainer: 19,
  auth: 100,
  close: -11,
} as const;

/** A session as its server has confirmed it. */
export interface Session {
  readonly id: bigint;
  /** A secret: who has it can be this session. */
  readonly password: Uint8Array;
  readonly timeoutMs: number;
}

/** What is known of a node beside its data. */
export interface Stat {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly mtimeMs: number;
  readonly version: number;
  /** The session that it ends with; 0 for one that stays. */
  readonly owner: bigint;
  readonly children: number;
  readonly pzxid: bigint;
}

/** Who may do what: for everybody, or for those who have authenticated as we have. */
export type Access = 'everybody' | 'creator';

/** A node's permanence. A container is removed by the server some time after its last child. */
export const modes = { persistent: 0, ephemeral: 1, container: 4 } as const;

/** The first packet of a connection. `session` for one that is to be gone on with. */
export function connectRequest(
  lastZxid: bigint,
  timeoutMs: number,
  session: Session | undefined,
): Uint8Array {
  const password = session?.password ?? new Uint8Array(16);
  return new JuteWriter()
    .int(0)
    .long(lastZxid)
    .int(timeoutMs)
    .long(session?.id ?? 0n)
    .buffer(password)
    .bool(false)
    .packet();
}

/** The answer to it; undefined if the session that was named has expired. */
export function readConnectResponse(packet: Uint8Array): Session | undefined {
  const reader = new JuteReader(packet);
  reader.int();
  const timeoutMs = reader.int();
  const id = reader.long();
  const password = reader.buffer();
  return timeoutMs <= 0 || id === 0n ? undefined : { id, password, timeoutMs };
}

/** A request that is nothing but its head. */
export function plainRequest(xid: number, opcode: number): Uint8Array {
  return new JuteWriter().int(xid).int(opcode).packet();
}

/** Authenticates the connection. */
export function authRequest(scheme: string, auth: string): Uint8Array {
  return new JuteWriter().int(xids.auth).int(opcodes.auth).int(0).text(scheme).text(auth).packet();
}

/** getData, getChildren and exists: a path, and whether to be told of its next change. */
export function readRequest(xid: number, opcode: number, path: string, watch: boolean): Uint8Array {
  return new JuteWriter().int(xid).int(opcode).text(path).bool(watch).packet();
}

/** One change. A version of -1 is any. */
export type Change =
  | {
      readonly kind: 'create';
      readonly path: string;
      readonly data: Uint8Array;
      readonly mode: number;
      readonly access: Access;
    }
  | { readonly kind: 'setData'; readonly path: string; readonly data: Uint8Array; readonly version: number }
  | { readonly kind: 'delete'; readonly path: string; readonly version: number };

/** A single change as a request. */
export function changeRequest(xid: number, change: Change): Uint8Array {
  return writeChange(new JuteWriter().int(xid).int(opcodeOf(change)), change).packet();
}

/** All of them or none. */
export function multiRequest(xid: number, changes: readonly Change[]): Uint8Array {
  const writer = new JuteWriter().int(xid).int(opcodes.multi);
  for (const change of changes) writeChange(writer.int(opcodeOf(change)).bool(false).int(-1), change);
  return writer.int(-1).bool(true).int(-1).packet();
}

function opcodeOf(change: Change): number {
  const isContainer = change.kind === 'create' && change.mode === modes.container;
  return isContainer ? opcodes.createContainer : opcodes[change.kind];
}

function writeChange(writer: JuteWriter, change: Change): JuteWriter {
  switch (change.kind) {
    case 'create':
      writeAccess(writer.text(change.path).buffer(change.data), change.access);
      return writer.int(change.mode);
    case 'setData':
      return writer.text(change.path).buffer(change.data).int(change.version);
    case 'delete':
      return writer.text(change.path).int(change.version);
  }
}

const allRights = 31;

function writeAccess(writer: JuteWriter, access: Access): void {
  writer.int(1).int(allRights);
  if (access === 'creator') writer.text('auth').text('');
  else writer.text('world').text('anyone');
}

/** Reads a node's `Stat`. */
export function readStat(reader: JuteReader): Stat {
  const czxid = reader.long();
  const mzxid = reader.long();
  reader.long();
  const mtimeMs = Number(reader.long());
  const version = reader.int();
  reader.int();
  reader.int();
  const owner = reader.long();
  reader.int();
  const children = reader.int();
  const pzxid = reader.long();
  return { czxid, mzxid, mtimeMs, version, owner, children, pzxid };
}

/** The error of each part of a multi; undefined where it went through. Reads to the end of the answer. */
export function readMultiErrors(reader: JuteReader): (number | undefined)[] {
  const errors: (number | undefined)[] = [];
  for (;;) {
    const opcode = reader.int();
    const done = reader.bool();
    const code = reader.int();
    if (done) return errors;
    if (opcode === -1) errors.push(reader.int());
    else errors.push(code === 0 ? undefined : code);
    if (opcode === opcodes.create) reader.text();
    if (opcode === opcodes.setData) readStat(reader);
  }
}

/** What a notification says: there is news at a path, or among its children; what, has to be read. */
export interface Notification {
  readonly path: string;
}

/** Reads one, after its head. */
export function readNotification(reader: JuteReader): Notification {
  reader.int();
  reader.int();
  return { path: reader.text() };
}
