import { HeddleError } from '@heddle/kernel';
import { parse } from 'yaml';
import { injectName } from './inject-decision.ts';
import type { InjectSettings, SidecarResources } from './inject-settings.ts';
import { isMembers, type Json, type JsonMembers, textsIn, textOf } from './json-value.ts';

/** What the annotations of a pod ask of its sidecar; where they are silent, what the settings say. */
export interface PodWishes {
  readonly image: string;
  readonly resources: SidecarResources;
  readonly native: boolean;
  /** The application does not start before its sidecar is ready. */
  readonly hold: boolean;
  readonly rewriteProbes: boolean;
  readonly logLevel: string | undefined;
  readonly drainSeconds: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly JsonMembers[];
  readonly volumeMounts: readonly JsonMembers[];
  /** What was asked for and has no meaning here. */
  readonly notes: readonly string[];
}

const sidecar = 'sidecar.istio.io/';
const traffic = 'traffic.sidecar.istio.io/';
const proxyConfig = 'proxy.istio.io/config';
const levels = ['trace', 'debug', 'info', 'warning', 'warn', 'error', 'critical', 'off'];
const quantity = /^\d+(?:\.\d+)?(?:m|k|[KMGTPE]i?|e\d+)?$/;
// What Istio's rules for packets need; here names lead to the sidecar, and no packet is redirected.
const ofPackets = new Set(
  ['interceptionMode', 'bootstrapOverride', 'componentLogLevel', 'statsInclusionPrefixes'].map(
    (name) => `${sidecar}${name}`,
  ),
);

/** Reads them. Throws `invalid_argument` / `BAD_ANNOTATION`, with all mistakes at once. */
export function podWishes(metadata: JsonMembers, settings: InjectSettings, subject: string): PodWishes {
  const reading = new Reading(textsIn(metadata['annotations']));
  const config = reading.config();
  const wishes: PodWishes = {
    image: reading.take(`${sidecar}proxyImage`) ?? settings.image,
    resources: reading.resources(settings.resources),
    native: reading.flag(`${sidecar}nativeSidecar`) ?? settings.native,
    hold: config.hold ?? true,
    rewriteProbes: reading.flag(`${sidecar}rewriteAppHTTPProbers`) ?? true,
    logLevel: reading.logLevel(),
    drainSeconds: config.drainSeconds,
    environment: config.environment,
    volumes: named(reading.json(`${sidecar}userVolume`)),
    volumeMounts: named(reading.json(`${sidecar}userVolumeMount`)),
    notes: reading.rest(),
  };
  if (reading.problems.length === 0) return wishes;
  const message = `${subject}: ${reading.problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_ANNOTATION', message, sent: false });
}

/** `{"data":{"emptyDir":{}}}` is a list of `{name, …}` in Kubernetes. */
function named(found: JsonMembers): readonly JsonMembers[] {
  return Object.entries(found).map(([name, value]) => ({ name, ...(isMembers(value) ? value : {}) }));
}

interface Config {
  readonly hold: boolean | undefined;
  readonly drainSeconds: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** One by one, so that what nobody has taken can be told. */
class Reading {
  readonly problems: string[] = [];
  readonly #notes: string[] = [];
  readonly #annotations: Readonly<Record<string, string>>;
  readonly #taken = new Set<string>([injectName]);

  constructor(annotations: Readonly<Record<string, string>>) {
    this.#annotations = annotations;
  }

  take(name: string): string | undefined {
    this.#taken.add(name);
    const value = this.#annotations[name];
    return value === '' ? undefined : value;
  }

  flag(name: string): boolean | undefined {
    const value = this.take(name);
    if (value === undefined || value === 'true') return value === undefined ? undefined : true;
    if (value !== 'false') this.#wrong(name, '"true" or "false"', value);
    return false;
  }

  logLevel(): string | undefined {
    const name = `${sidecar}logLevel`;
    const value = this.take(name);
    if (value !== undefined && !levels.includes(value))
      this.#wrong(name, `one of ${levels.join(', ')}`, value);
    return value;
  }

  /** As Istio has it: whoever says one of a pair says all of it. */
  resources(fallback: SidecarResources): SidecarResources {
    const [cpuRequest, memoryRequest] = [this.#quantity('proxyCPU'), this.#quantity('proxyMemory')];
    const [cpuLimit, memoryLimit] = [this.#quantity('proxyCPULimit'), this.#quantity('proxyMemoryLimit')];
    const all = { cpuRequest, memoryRequest, cpuLimit, memoryLimit };
    return Object.values(all).every((each) => each === undefined) ? fallback : all;
  }

  json(name: string): JsonMembers {
    const text = this.take(name);
    if (text === undefined) return {};
    const value = parsed(() => JSON.parse(text) as Json);
    if (isMembers(value)) return value;
    this.#wrong(name, 'an object in JSON whose keys are names', text);
    return {};
  }

  config(): Config {
    const text = this.take(proxyConfig);
    const value = text === undefined ? {} : parsed(() => parse(text) as Json);
    const nothing: Config = { hold: undefined, drainSeconds: undefined, environment: {} };
    if (!isMembers(value)) {
      this.#wrong(proxyConfig, 'an object in YAML', text ?? '');
      return nothing;
    }
    const {
      holdApplicationUntilProxyStarts: hold,
      terminationDrainDuration,
      proxyMetadata,
      ...others
    } = value;
    for (const name of Object.keys(others)) this.#notes.push(`${proxyConfig}: ${name} has no effect here`);
    if (hold !== undefined && typeof hold !== 'boolean')
      this.#wrong(`${proxyConfig} holdApplicationUntilProxyStarts`, 'true or false', textOf(hold));
    return {
      hold: typeof hold === 'boolean' ? hold : undefined,
      drainSeconds: this.#seconds(terminationDrainDuration),
      environment: textsIn(proxyMetadata),
    };
  }

  /** What nobody has taken of Istio's, each with what becomes of it. */
  rest(): readonly string[] {
    const left = Object.keys(this.#annotations).filter(
      (name) =>
        !this.#taken.has(name) &&
        name !== `${sidecar}status` &&
        /^(?:(?:traffic\.)?sidecar|proxy)\.istio\.io\//.test(name),
    );
    const why = (name: string): string =>
      name.startsWith(traffic) || ofPackets.has(name)
        ? 'it is about redirected packets, and here none are redirected'
        : 'it is not known';
    return [...this.#notes, ...left.map((name) => `${name} has no effect here: ${why(name)}`)];
  }

  #quantity(name: string): string | undefined {
    const value = this.take(`${sidecar}${name}`);
    if (value !== undefined && !quantity.test(value))
      this.#wrong(`${sidecar}${name}`, 'a quantity such as 100m or 128Mi', value);
    return value;
  }

  #seconds(value: Json | undefined): number | undefined {
    if (value === undefined) return undefined;
    const [, number, unit] = /^(\d+)(s|m)$/.exec(textOf(value)) ?? [];
    if (number !== undefined) return Number(number) * (unit === 'm' ? 60 : 1);
    this.#wrong(`${proxyConfig} terminationDrainDuration`, 'a duration such as 10s', textOf(value));
    return undefined;
  }

  #wrong(name: string, expected: string, found: string): void {
    this.problems.push(`${name}: expected ${expected}, found ${JSON.stringify(found.slice(0, 100))}`);
  }
}

function parsed(read: () => Json): Json | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
