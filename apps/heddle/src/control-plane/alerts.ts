import path from 'node:path';
import type { Runtime } from '@heddle/kernel';
import {
  AlertEngine,
  type Channel,
  type ChannelConfig,
  defaultGroup,
  defaultRules,
  type MetricArchive,
  type MetricRegistry,
  type MetricStore,
  type NotifyConfig,
  readNotifyConfig,
  readRules,
  type RuleGroup,
  type Secret,
  slack,
  tellNobody,
  webhook,
} from '@heddle/telemetry';
import { email } from '@heddle/telemetry/email';
import { type AlertDocument, readAlertFolder, readSecretFile } from '../node/alert-folder.ts';

/** The document in the folder of alerts that says who is told. */
export const notifyFile = 'alertmanager.yml';

/** Rules, and who is told. */
export interface AlertConfig {
  readonly groups: readonly RuleGroup[];
  readonly notify: NotifyConfig;
}

/**
 * Reads a folder of alerts: `alertmanager.yml` says who is told, all others are Prometheus' documents of rules. The default
 * rules are added, unless a group there has their name. Without a folder: the default rules, and nobody is told.
 */
export function alertConfig(folder: string | undefined): AlertConfig {
  const documents = folder === undefined ? [] : readAlertFolder(folder);
  const isNotify = ({ name }: AlertDocument): boolean => path.basename(name) === notifyFile;
  const own = documents.filter((each) => !isNotify(each)).flatMap(({ name, text }) => readRules(name, text));
  const isReplaced = own.some(({ name }) => name === defaultGroup);
  const usual = isReplaced ? [] : readRules(`${defaultGroup}.yml`, defaultRules);
  const { name, text } = documents.find(isNotify) ?? { name: notifyFile, text: tellNobody };
  return { groups: [...usual, ...own], notify: readNotifyConfig(name, text) };
}

/** What the engine of a control plane is made of. */
export interface AlertSurroundings {
  readonly runtime: Runtime;
  readonly archive: MetricArchive;
  readonly metrics: MetricStore;
  readonly registry: MetricRegistry;
  /** Where the control plane is reached. */
  readonly externalUrl: () => string;
}

/** The alert engine of a control plane, over its store. */
export function alertEngine({ groups, notify }: AlertConfig, surroundings: AlertSurroundings): AlertEngine {
  const { runtime, archive, metrics, registry, externalUrl } = surroundings;
  const channels = notify.receivers.map(({ name, channels: all }) => {
    return [name, all.map((each) => channelOf(each, runtime, externalUrl))] as const;
  });
  return new AlertEngine({
    runtime,
    reader: archive,
    record: (labels, timeMs, value) => metrics.add(labels, timeMs, value),
    groups,
    config: notify,
    channels: Object.fromEntries(channels),
    metrics: registry,
    externalUrl,
    stateFile: 'telemetry/alerts.json',
  });
}

function channelOf(config: ChannelConfig, runtime: Runtime, externalUrl: () => string): Channel {
  switch (config.kind) {
    case 'webhook':
      return webhook({ runtime, externalUrl, url: secret(config.url), maxAlerts: config.maxAlerts });
    case 'slack': {
      const { channel, username, url } = config;
      return slack({ runtime, externalUrl, url: secret(url), channel, username });
    }
    case 'email':
      return email({ ...config, password: secret(config.password), externalUrl });
  }
}

/** A file is read each time: secrets are changed while programs run. */
function secret({ value, file }: Secret): () => Promise<string> {
  return async () => (file === undefined ? (value ?? '') : readSecretFile(file));
}
