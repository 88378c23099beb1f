import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { HeddleError } from '@heddle/kernel';
import type { KubernetesAccess } from '../access.ts';
import { readKubeconfig } from '../kubeconfig.ts';

/** Reads a kubeconfig file (YAML or JSON) and the files that it names. Rejects as `readKubeconfig` does. */
export async function kubeconfigFile(file: string, context?: string): Promise<KubernetesAccess> {
  // Only who has a kubeconfig needs it.
  const { parse } = await import('yaml');
  const text = await readText(file);
  let document: unknown;
  try {
    document = parse(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : String(thrown);
    throw new HeddleError({
      code: 'invalid_argument',
      reason: 'BAD_KUBECONFIG',
      message: `the kubeconfig ${file} is no YAML: ${why}`,
      sent: false,
    });
  }
  const beside = (name: string): Promise<string> => readText(path.resolve(path.dirname(file), name));
  return readKubeconfig({ document, context, readText: beside });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `the file "${file}" cannot be read: ${why}`;
    throw new HeddleError({ code: 'failed_precondition', reason: 'FILE_UNREADABLE', message, sent: false });
  }
}
