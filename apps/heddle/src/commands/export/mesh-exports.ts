import { type GraphCall, linkerdOf, networkPolicies, permittedCalls } from '@heddle/mesh/export';
import { acceptResources, type Resource } from '@heddle/mesh/resources';
import { translate } from '@heddle/mesh/translate';
import { type Given, usageError } from '../../command.ts';
import { readTextFile } from '../../node/config-file.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { resourceFiles } from '../mesh/resource-files.ts';
import { scopeOf } from '../mesh/scope-options.ts';

/** `heddle export network-policies <path>…`: from the calls that were seen, or from what the policies permit. */
export async function exportNetworkPolicies(
  paths: readonly string[],
  given: Given,
  terminal: Terminal,
): Promise<void> {
  const model = translate(await resourcesOf(paths, given), scopeOf(given));
  const file = given.text('calls');
  const calls =
    file === undefined ? permittedCalls(model) : readGraph(readTextFile(file, 'service graph'), file);
  write(networkPolicies(model, calls), terminal);
}

/** `heddle export linkerd <path>…`. */
export async function exportLinkerd(
  paths: readonly string[],
  given: Given,
  terminal: Terminal,
): Promise<void> {
  write(linkerdOf(await resourcesOf(paths, given), scopeOf(given)), terminal);
}

async function resourcesOf(paths: readonly string[], given: Given): Promise<readonly Resource[]> {
  return acceptResources(await resourceFiles(paths), scopeOf(given));
}

function write(
  { yaml, notes }: { readonly yaml: string; readonly notes: readonly string[] },
  terminal: Terminal,
): void {
  terminal.out(yaml);
  for (const note of notes) terminal.err(`note: ${note}\n`);
}

/** `{"from":"shop/web","to":"shop/order","port":8080}`, one a line. */
function readGraph(text: string, file: string): readonly GraphCall[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const call = parsed(line);
    const { from, to, port } = (call ?? {}) as Partial<GraphCall>;
    if (typeof from === 'string' && typeof to === 'string' && Number.isInteger(port))
      return [{ from, to, port: Number(port) }];
    throw usageError(
      `${file}:${index + 1}: expected {"from":"namespace/name","to":"namespace/name","port":number}`,
    );
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
