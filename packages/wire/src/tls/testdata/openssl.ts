import { spawn } from 'node:child_process';

/** What a program said, and how it ended. */
export interface Said {
  readonly text: string;
  readonly code: number | null;
}

/** Runs a program with this input; resolves when it has ended, which it is made to after 10 s. */
export function run(program: string, args: readonly string[], input = ''): Promise<Said> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 10_000 });
    let text = '';
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', (error) => resolve({ text: error.message, code: null }));
    child.on('close', (code) => resolve({ text, code }));
  });
}

/** Whether a program is there to be run. */
export async function isThere(program: string, ...args: readonly string[]): Promise<boolean> {
  return (await run(program, args)).code === 0;
}
