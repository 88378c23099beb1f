// The messages of PostgreSQL's logical replication, as its plug-in `pgoutput` writes them.
// Source: PostgreSQL 18, "Logical Replication Message Formats", protocol version 1.

/** One column of a table. */
interface Column {
  readonly name: string;
  /** Object id of its type. */
  readonly type: number;
}

/** A table, as the log last described it. */
export interface Relation {
  readonly table: string;
  readonly columns: readonly Column[];
}

/** A row as texts; null: NULL; undefined: a large value that has not changed, and is not in the log. */
export type Row = Readonly<Record<string, string | null | undefined>>;

/** One change of one row. */
export interface RowChange {
  readonly op: 'insert' | 'update' | 'delete';
  readonly relation: Relation;
  /** What the row is now; of a deleted one, its key. */
  readonly row: Row;
  /** The key before, if it has changed. */
  readonly before: Row | undefined;
}

/** What a message is: the end of a transaction, or a change in it; undefined: nothing that matters here. */
export type LogMessage =
  | { readonly kind: 'commit'; readonly endLsn: bigint; readonly commitLsn: bigint }
  | { readonly kind: 'row'; readonly change: RowChange }
  | { readonly kind: 'truncate'; readonly tables: readonly string[] };

/** Reads messages in the order of the log: they refer to tables that were described before. */
export class LogReader {
  readonly #relations = new Map<number, Relation>();

  read(bytes: Uint8Array): LogMessage | undefined {
    const cursor = new Cursor(bytes);
    const tag = String.fromCharCode(cursor.byte());
    switch (tag) {
      case 'R':
        this.#relation(cursor);
        return undefined;
      case 'C':
        cursor.byte();
        return { kind: 'commit', commitLsn: cursor.long(), endLsn: cursor.long() };
      case 'I':
      case 'U':
      case 'D':
        return { kind: 'row', change: this.#change(tag, cursor) };
      case 'T': {
        const count = cursor.int();
        cursor.byte();
        const tables = Array.from({ length: count }, () => this.#known(cursor.int()).table);
        return { kind: 'truncate', tables };
      }
      default:
        // Begin, origin, type, message.
        return undefined;
    }
  }

  #relation(cursor: Cursor): void {
    const id = cursor.int();
    const schema = cursor.text();
    const name = cursor.text();
    cursor.byte();
    const columns = Array.from({ length: cursor.short() }, () => {
      cursor.byte();
      const column = { name: cursor.text(), type: cursor.int() };
      cursor.int();
      return column;
    });
    this.#relations.set(id, { table: `${schema}.${name}`, columns });
  }

  #change(tag: 'I' | 'U' | 'D', cursor: Cursor): RowChange {
    const relation = this.#known(cursor.int());
    let part = String.fromCharCode(cursor.byte());
    let before: Row | undefined;
    if (part !== 'N') {
      before = rowOf(relation, cursor);
      if (tag === 'D') return { op: 'delete', relation, row: before, before: undefined };
      part = String.fromCharCode(cursor.byte());
    }
    return { op: tag === 'I' ? 'insert' : 'update', relation, row: rowOf(relation, cursor), before };
  }

  #known(id: number): Relation {
    const found = this.#relations.get(id);
    if (found === undefined) throw new Error(`the log names table ${id} before it describes it`);
    return found;
  }
}

function rowOf({ columns }: Relation, cursor: Cursor): Row {
  const count = cursor.short();
  return Object.fromEntries(
    columns.slice(0, count).map(({ name }) => {
      const kind = String.fromCharCode(cursor.byte());
      if (kind === 'n') return [name, null];
      return [name, kind === 'u' ? undefined : cursor.sized(cursor.int())];
    }),
  );
}

const utf8 = new TextDecoder();

class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#view.getUint8(this.#move(1));
  }

  short(): number {
    return this.#view.getInt16(this.#move(2));
  }

  int(): number {
    return this.#view.getInt32(this.#move(4));
  }

  long(): bigint {
    return this.#view.getBigUint64(this.#move(8));
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = utf8.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  sized(length: number): string {
    return utf8.decode(this.#bytes.subarray(this.#move(length), this.#at));
  }

  #move(count: number): number {
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
