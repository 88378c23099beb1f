import type { CommandUsage } from '../command.ts';
import { planeOptions } from '../shared-options.ts';

/** How `heddle alerts` is called. */
export const alertsUsage: CommandUsage = {
  name: 'alerts',
  summary: 'Show alerts, their rules, silences and who was told; silence some; check a folder of rules',
  words: '[ls|rules|silences|notifications|silence <matcher…>|unsilence <id>|check <folder>]',
  options: {
    ...planeOptions,
    for: { type: 'string', value: 'DURATION', help: 'With silence: how long, as in 30m or 2h; default 2h' },
    comment: { type: 'string', value: 'TEXT', help: 'With silence: why' },
    by: { type: 'string', value: 'NAME', help: 'With silence: who; default the user of this shell' },
  },
  examples: [
    'heddle alerts',
    'heddle alerts rules',
    `heddle alerts silence alertname=HighMemoryUsage 'job=~"order|payment"' --for 2h --comment 'load test'`,
    'heddle alerts check deploy/alerts',
  ],
};
