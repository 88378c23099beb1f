import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from './cache.ts';
import { lastWords, run } from './command.ts';
import { type Engine, type Place, required } from './engine.ts';
import { assemble, findAssembled, javaArgs, type MavenBuild } from './maven.ts';
import { freePlace, startServer } from './running.ts';

/** How to start Kafka. */
export interface KafkaOptions {
  /** Default: a free port on IPv4 loopback. */
  readonly address?: Place;
  /** Where it keeps its data, which is then not removed. Default: a folder of its own. */
  readonly folder?: string;
}

const build: MavenBuild = {
  name: 'kafka',
  version: '4.1.2',
  source: path.join(import.meta.dirname, 'kafka'),
};

const formatLimitMs = 120_000;

/** A Kafka server that is its own controller (KRaft): no other node, and nothing made unless it is asked for. */
export const kafka: Engine<KafkaOptions> = {
  name: 'kafka',
  find: () => findAssembled(build),
  install: () => assemble(build),
  verify: async () => {
    const running = await kafka.start({});
    await running.stop();
  },
  start: async ({ address, folder }) => {
    const found = await required(kafka);
    const place = address ?? (await freePlace());
    const data = folder ?? dataFolder('kafka');
    const file = path.join(data, 'server.properties');
    writeFileSync(file, configOf(data, place, await freePlace()).join('\n'));
    const args = (main: string): string[] =>
      javaArgs(found.path, main, { 'org.slf4j.simpleLogger.defaultLogLevel': 'warn' });
    // Its log belongs to a cluster, whose name is written into it before it is first used.
    if (!existsSync(path.join(data, 'log', 'meta.properties'))) {
      const format = ['format', '--cluster-id', 'heddle-kafka-test-node', '--config', file];
      const done = await run('java', [...args('kafka.tools.StorageTool'), ...format], {
        timeoutMs: formatLimitMs,
      });
      if (done.code !== 0) throw new Error(`kafka: cannot be formatted: ${lastWords(done.output)}`);
    }
    return startServer({
      name: 'kafka',
      command: 'java',
      args: [...args('kafka.Kafka'), file],
      address: place,
      timeoutMs: 120_000,
      ...(folder === undefined && { folder: data }),
    });
  },
};

function configOf(data: string, at: Place, controller: Place): readonly string[] {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@${controller.host}:${controller.port}`,
    `listeners=PLAINTEXT://${at.host}:${at.port},CONTROLLER://${controller.host}:${controller.port}`,
    `advertised.listeners=PLAINTEXT://${at.host}:${at.port}`,
    'controller.listener.names=CONTROLLER',
    `log.dirs=${path.join(data, 'log')}`,
    'auto.create.topics.enable=false',
    'message.max.bytes=16777216',
    'offsets.topic.num.partitions=1',
    'offsets.topic.replication.factor=1',
    'transaction.state.log.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'share.coordinator.state.topic.num.partitions=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    // Consumers of tests come one by one and are not to be waited for.
    'group.initial.rebalance.delay.ms=0',
    'group.min.session.timeout.ms=500',
    '',
  ];
}
