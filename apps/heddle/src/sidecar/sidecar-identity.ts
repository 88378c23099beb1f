import { X509Certificate } from 'node:crypto';
import { HeddleError, type Part, type Runtime, sleep } from '@heddle/kernel';
import { accountOfToken, isAccountToken } from '@heddle/mesh/plane';
import { type AskForSvid, type HeldIdentity, KeptIdentity } from '@heddle/security/identity';

const file = 'identity.json';
/** How long to look for a control plane at the start. */
const startMs = 30_000;
const pauseMs = 500;

/**
 * The identity that was kept by an earlier process of the workload that the bootstrap token names, whether it is still good
 * or not. Without a token whichever was kept.
 */
export async function keptIdentity({ disk, log }: Runtime, token: string): Promise<HeldIdentity | undefined> {
  const bytes = await disk.read(file);
  if (bytes === undefined) return undefined;
  try {
    const held = JSON.parse(new TextDecoder().decode(bytes)) as HeldIdentity;
    const { subjectAltName = '' } = new X509Certificate(held.svid.certificates);
    return token === '' || isOf(token, subjectAltName) ? held : undefined;
  } catch {
    log('warn', 'the kept identity cannot be read; another is asked for', { file });
    return undefined;
  }
}

/** Whether a certificate is of whom the token is for. */
function isOf(token: string, subjectAltName: string): boolean {
  if (!isAccountToken(token))
    return subjectAltName === `URI:${Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString()}`;
  const account = accountOfToken(token);
  return account !== undefined && subjectAltName.endsWith(`/ns/${account.namespace}/sa/${account.name}`);
}

/** Keeps an identity valid, and a copy on disk, so that a restart needs no control plane. */
export class SidecarIdentity implements Part {
  readonly name = 'identity';
  readonly kept: KeptIdentity;
  readonly #runtime: Runtime;

  /** `before`: as `keptIdentity` gives it. */
  constructor(runtime: Runtime, ask: AskForSvid, before: HeldIdentity | undefined) {
    this.#runtime = runtime;
    this.kept = new KeptIdentity(runtime, ask, before);
    this.kept.onRenewed((held) => void this.#keep(held));
  }

  /** What it is now; undefined before there is one. */
  get held(): HeldIdentity | undefined {
    try {
      return this.kept.held;
    } catch {
      return undefined;
    }
  }

  /** Resolves with a certificate. Rejects when none can be had for half a minute, and at once with a refusal. */
  async start(): Promise<void> {
    const { clock, timers } = this.#runtime;
    const untilMs = clock.nowMs() + startMs;
    for (;;) {
      try {
        await this.kept.start();
        return;
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        const isPassing = error.code === 'unavailable' || error.code === 'deadline_exceeded';
        if (!isPassing || clock.nowMs() >= untilMs) throw error;
        await sleep(timers, pauseMs);
      }
    }
  }

  async stop(): Promise<void> {
    this.kept.close();
  }

  async #keep(held: HeldIdentity): Promise<void> {
    const { disk, log } = this.#runtime;
    try {
      await disk.replace(file, new TextEncoder().encode(JSON.stringify(held)));
    } catch (thrown) {
      const { message } = HeddleError.from(thrown);
      log('warn', 'the identity cannot be kept on disk', { message });
    }
  }
}
