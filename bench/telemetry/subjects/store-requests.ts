// Writes the requests that the store is to take to a file, in a process of its own: what making them costs is not the store's.
import { closeSync, openSync, writeSync } from 'node:fs';
import { requestFrom, spansPerRequest } from '../request.ts';

const [file = '', total = '0', startWallMs = '0'] = process.argv.slice(2);
const out = openSync(file, 'w');
for (let first = 0; first < Number(total); first += spansPerRequest) {
  const bytes = requestFrom(first, Number(startWallMs) + first / 1000);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.byteLength);
  writeSync(out, head);
  writeSync(out, bytes);
}
closeSync(out);
