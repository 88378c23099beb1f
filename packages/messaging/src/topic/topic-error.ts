import { HeddleError } from '@heddle/kernel';
import type { TopicInfo } from './topic.ts';

/** Nobody has made this topic: a name that is misspelt must not become one. */
export function noTopic(name: string): HeddleError {
  const message = `there is no topic ${name}; make it with createTopic, or \`heddle topics create ${name}\``;
  return new HeddleError({ code: 'not_found', reason: 'NO_TOPIC', message, sent: false });
}

/** It is there, and otherwise. */
export function topicDiffers(known: TopicInfo, wanted: TopicInfo): HeddleError {
  const message = `topic ${known.name} has ${known.partitions} partitions, not ${wanted.partitions}; their number cannot change, since keys would lose their order`;
  return new HeddleError({ code: 'already_exists', reason: 'TOPIC_DIFFERS', message, sent: false });
}
