// `npm run tutorial`: does what docs/tutorial.md says, word by word, in a fresh clone and an empty home.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../files.ts';
import { TutorialShell } from './shell.ts';
import { type Block, keepsRunning, tutorialBlocks } from './steps.ts';

const minute = 60_000;
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-tutorial-'));
const shells: TutorialShell[] = [];

/** A terminal of someone who has just begun: nothing in the home folder, nothing installed but node, npm and git. */
function terminal(): TutorialShell {
  const home = path.join(folder, 'home');
  mkdirSync(home, { recursive: true });
  // How this machine reaches the network is its own affair; what Heddle or npm have set for this process is not a reader's.
  const machine = Object.entries(process.env).filter(([name]) => !/^(npm_|HEDDLE_|NODE_OPTIONS$)/.test(name));
  const programs = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((each) => !each.includes('node_modules'));
  const shell = new TutorialShell(folder, {
    ...Object.fromEntries(machine),
    HOME: home,
    npm_config_prefix: path.join(home, 'npm'),
    PATH: [path.join(home, 'npm/bin'), ...programs].join(path.delimiter),
  });
  shells.push(shell);
  return shell;
}

async function follow({ line, text }: Block, shell: TutorialShell): Promise<TutorialShell> {
  const address = /<address>/.test(text) ? await addressOf(shell) : '';
  const typed = text.replace('<this repository>', root).replace('<address>', address);
  console.log(`docs/tutorial.md:${line}\n${typed.replaceAll(/^/gm, '    ')}`);
  const expected = keepsRunning(typed);
  if (expected === undefined) {
    await shell.type(typed, 15 * minute);
    return shell;
  }
  await shell.typeAndLeave(typed, expected, 5 * minute);
  return terminal();
}

/** What a reader takes from the table above the command: where the instance listens, once it is there. */
async function addressOf(shell: TutorialShell): Promise<string> {
  for (let looks = 1; ; looks += 1) {
    const shown = await shell.type('(cd heddle && heddle ls instances order-history)', minute);
    const [address] = /127\.0\.0\.1:\d+/.exec(shown) ?? [];
    if (address !== undefined) return address;
    if (looks === 30) throw new Error(`there is no instance of order-history:\n${shown}`);
  }
}

try {
  let shell = terminal();
  const blocks = tutorialBlocks(readFileSync(path.join(root, 'docs/tutorial.md'), 'utf8'));
  for (const block of blocks) shell = await follow(block, shell);
  console.log(`${blocks.length} steps of the tutorial work as they are written`);
} finally {
  for (const shell of shells.toReversed()) await shell.close();
  rmSync(folder, { recursive: true, force: true });
}
