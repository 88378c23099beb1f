/** A commit that changed a file, as far as a version tells of it. */
export interface FileCommit {
  readonly id: string;
  readonly author: string;
  readonly atMs: number;
  readonly message: string;
  /** What the file is since then; undefined if it was taken away. */
  readonly blob: string | undefined;
}

/** Fields between NULs, and before each commit a record separator; after it the file as it was and is. */
export const logArguments: readonly string[] = [
  'log',
  '--first-parent',
  '--diff-merges=first-parent',
  '--reverse',
  '--raw',
  '--no-abbrev',
  '--no-renames',
  '--format=%x1e%H%x00%an%x00%at%x00%B%x00',
];

/** Reads what git says to `logArguments`. Pure. */
export function readLog(text: string): readonly FileCommit[] {
  return text
    .split('\u001e')
    .map((record) => record.split('\0'))
    .filter((fields) => fields.length === 5)
    .map(([id = '', author = '', seconds = '', message = '', files = '']) => ({
      id,
      author: author.trim().slice(0, 200) || 'unknown',
      atMs: Number(seconds) * 1000,
      message: message.trim(),
      blob: blobIn(files),
    }));
}

/** `:100644 100644 <was> <is> M\tpath`; all zeros for a file that is gone. */
function blobIn(files: string): string | undefined {
  const [, blob] = /^:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) /m.exec(files) ?? [];
  return blob === undefined || /^0+$/.test(blob) ? undefined : blob;
}

/** Reads what `git cat-file --batch` says: texts by their ids. Pure. */
export function readBatch(bytes: Buffer): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    const [id = '', , size] = bytes.toString('utf8', at, end).split(' ');
    const start = end + 1;
    if (size === undefined) return texts;
    texts.set(id, bytes.toString('utf8', start, start + Number(size)));
    at = start + Number(size) + 1;
  }
  return texts;
}
