import type { CommandUsage } from '../command.ts';

/** How `heddle config` is called. */
export const configUsage: CommandUsage = {
  name: 'config',
  summary: 'Show, change, release, compare and roll back values of the config centre',
  words:
    'list | show|history|watch PLACE | set PLACE key=value… | unset PLACE key… | apply PLACE FILE | diff PLACE FROM TO | rollback PLACE VERSION | gray PLACE key=value… | promote|abandon PLACE',
  options: {
    store: {
      type: 'string',
      value: 'URL',
      help: 'Where it is (docs/config.md); default HEDDLE_CONFIG, or the running "heddle up"',
    },
    data: { type: 'string', value: 'DIR', help: 'Folder of the running "heddle up"; default .heddle' },
    by: { type: 'string', value: 'WHO', help: 'For the history, of what changes a place; default USER' },
    why: { type: 'string', value: 'TEXT', help: 'For the history: the reason' },
    expect: {
      type: 'string',
      value: 'VERSION',
      help: 'Change it only if it is at this version; 0: has none',
    },
    instance: { type: 'string', value: 'NAMES', help: 'gray: to these instances, with commas between' },
    percent: { type: 'string', value: 'NUMBER', help: 'gray: to this share of all' },
    secret: { type: 'boolean', help: 'set, gray: seal the values; the keys are in HEDDLE_CONFIG_KEYS' },
    keys: { type: 'string', value: 'FILE', help: 'Keys for secrets; default HEDDLE_CONFIG_KEYS' },
    'dry-run': { type: 'boolean', help: 'Say what a change would do, and do nothing' },
    json: { type: 'boolean', help: 'As JSON' },
  },
  examples: [
    'heddle config list --store git:/srv/config.git',
    'heddle config set prod/shop/order pool.max=20 banner=\'"Sale!"\' --why "more load"',
    'heddle config set prod/shop/order db.password=- --secret < password.txt',
    'heddle config gray prod/shop/order pool.max=40 --percent 10',
    'heddle config diff prod/shop/order 3 5',
    'heddle config rollback prod/shop/order 3 --why "too many connections"',
  ],
};
