import { HeddleError } from '@heddle/kernel';
import { type Command, readArguments, type World } from '../command.ts';
import { commandLine, described, type Tool, toolsOf } from './tools.ts';

/** Of JSON-RPC 2.0. */
const codes = { parse: -32_700, request: -32_600, method: -32_601, parameters: -32_602 } as const;

const versions = ['2025-06-18', '2025-03-26', '2024-11-05'];
const longestAnswer = 200_000;

interface Request {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

/**
 * The server's side of the Model Context Protocol over lines of JSON: the tools are commands of this program, run in this process
 * one after the other, with their output as the answer.
 */
export class McpSession {
  readonly #tools: readonly Tool[];
  readonly #world: World;
  #last: Promise<unknown> = Promise.resolve();

  constructor(commands: readonly Command[], world: World, withChanges: boolean) {
    this.#tools = toolsOf(commands, withChanges);
    this.#world = world;
  }

  /** The answer to a line; undefined where none is due. Never rejects. */
  async answer(line: string): Promise<string | undefined> {
    let request: Request;
    try {
      request = JSON.parse(line) as Request;
    } catch {
      return failure(null, codes.parse, 'expected a line of JSON');
    }
    const { id, method, jsonrpc, params } = request ?? {};
    if (jsonrpc !== '2.0' || typeof method !== 'string')
      return failure(id ?? null, codes.request, 'expected a request of JSON-RPC 2.0');
    // A notification, such as notifications/initialized.
    if (id === undefined) return undefined;
    const given = typeof params === 'object' && params !== null ? (params as Record<string, unknown>) : {};
    switch (method) {
      case 'initialize':
        return success(id, this.#introduction(given));
      case 'ping':
        return success(id, {});
      case 'tools/list':
        return success(id, { tools: this.#tools.map(described) });
      case 'tools/call':
        return this.#call(id, given);
      default:
        return failure(id, codes.method, `there is no method "${method}"`);
    }
  }

  #introduction({ protocolVersion }: Readonly<Record<string, unknown>>): object {
    const known = versions.find((version) => version === protocolVersion);
    return {
      protocolVersion: known ?? versions[0],
      capabilities: { tools: {} },
      serverInfo: { name: 'heddle', version: '0.1.0' },
      instructions: 'The commands of Heddle that look at a running system. Most take --data or --registry.',
    };
  }

  async #call(
    id: unknown,
    { name, arguments: given = {} }: Readonly<Record<string, unknown>>,
  ): Promise<string> {
    const tool = this.#tools.find((each) => each.name === name);
    if (tool === undefined) return failure(id, codes.parameters, `there is no tool "${String(name)}"`);
    if (typeof given !== 'object' || given === null)
      return failure(id, codes.parameters, 'arguments: expected an object');
    const run = this.#last.then(() => this.#run(tool, given as Record<string, unknown>));
    this.#last = run;
    const { text, isError } = await run;
    const shown =
      text.length <= longestAnswer
        ? text
        : `${text.slice(0, longestAnswer)}\n… cut at ${longestAnswer} characters`;
    return success(id, { content: [{ type: 'text', text: shown }], isError });
  }

  async #run(tool: Tool, given: Record<string, unknown>): Promise<{ text: string; isError: boolean }> {
    let text = '';
    const take = (more: string): void => {
      text += more;
    };
    const terminal = { out: take, err: take, interactive: false, colours: false, width: 120 };
    try {
      const read = readArguments(tool.command, commandLine(tool, given));
      const code = await tool.command.run(read, { ...this.#world, terminal });
      return { text, isError: code !== 0 };
    } catch (thrown) {
      return { text: `${text}${HeddleError.from(thrown).message}`, isError: true };
    }
  }
}

function success(id: unknown, result: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

function failure(id: unknown, code: number, message: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });
}
