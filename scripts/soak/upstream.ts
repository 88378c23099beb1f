// An upstream of the soak, as a process that can be killed: says what it was asked for. Its port is its argument.
import { nodeRuntime } from '@heddle/kernel/node';
import { jsonAnswer } from '@heddle/proxy';
import { serve } from '@heddle/wire';

const runtime = nodeRuntime({ name: 'upstream', logLevel: 'error' });
await serve(
  async (req) => {
    const body = await req.body.bytes(4_000_000);
    let sum = 0;
    for (const byte of body) sum = (sum + byte) % 65_521;
    return jsonAnswer(200, { path: req.path, bytes: body.byteLength, sum });
  },
  { runtime, address: { host: '127.0.0.1', port: Number(process.argv[2]) } },
);
process.send?.('ready');
