/** A file that only grows. One writer; calls are made one after another. */
export interface AppendFile {
  /** Bytes so far. */
  readonly size: number;
  /** Resolves when written; durable only after `sync`. */
  append(bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was appended survives a power cut. */
  sync(): Promise<void>;
  /** Cuts the file back to `size` bytes: for dropping a torn record at the end. */
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Files under one root folder; paths are relative, with `/`. A path that leaves the root is refused.
 * Errors are `HeddleError`: `not_found`, `permission_denied`, `resource_exhausted` (disk full), else `internal`.
 */
export interface Disk {
  /** The whole file, or undefined if there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** All or nothing, and durable when it resolves: a temporary file, sync, rename, sync of the folder. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Opens for appending; makes the file and its folders if missing. */
  open(path: string): Promise<AppendFile>;
  /** Names of the files in a folder, sorted; none if there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Removes a file, durably; nothing happens if there is none. */
  remove(path: string): Promise<void>;
}
