import type { CommandOption, CommandUsage } from '../command.ts';
import { planeOptions } from '../shared-options.ts';

/** How `heddle boundaries` is called. */
export const boundariesUsage: CommandUsage = {
  name: 'boundaries',
  summary: 'Find out which services there should be, and whether those that run are as planned',
  words: 'analyse|compare|drift <file or folder>...',
  options: {
    json: { type: 'boolean', help: 'As JSON, all of it' },
    running: {
      type: 'boolean',
      help: 'What runs, by the traces of the last hour that its control plane has kept: of the running "heddle up", or --plane',
    },
    without: {
      type: 'string',
      value: 'NAME,…',
      help: 'With --running: services that are left out, such as a gateway, which only passes on',
    },
    data: planeOptions['data'] as CommandOption,
    plane: planeOptions['plane'] as CommandOption,
    markdown: { type: 'boolean', help: 'As Markdown' },
    html: { type: 'string', value: 'FILE', help: 'Write the report as a page that needs nothing else' },
    git: { type: 'string', value: 'DIR', help: 'Count what is changed together in this repository' },
    weights: {
      type: 'string',
      value: 'NAME=N,…',
      help: 'Of the criteria, e.g. team=0,data=0.6; 0 removes one',
    },
    services: { type: 'string', value: 'N', help: 'How many services; without it the coupling decides' },
    seed: { type: 'string', value: 'N', help: 'Of the starts of the search; default 1' },
    'max-size': { type: 'string', value: 'N', help: 'The most capabilities in a service' },
    'min-size': { type: 'string', value: 'N', help: 'The fewest capabilities in a service' },
    'max-complexity': { type: 'string', value: 'N', help: 'The most complexity in a service' },
    'one-team': { type: 'boolean', help: 'No service with capabilities of two teams' },
    compat: {
      type: 'string',
      value: 'seed',
      help: 'The literal rule of the first design, and why it is wrong',
    },
    reference: {
      type: 'string',
      value: 'FILE',
      help: 'compare: the services that are right: a report, plan, .rsf or .csv',
    },
    plan: {
      type: 'string',
      value: 'FILE',
      help: 'drift: what was planned: a report, or services with owns and calls',
    },
    today: { type: 'boolean', help: 'analyse: the services as they are, as a plan for drift' },
  },
  examples: [
    'heddle boundaries analyse capabilities.yaml --html boundaries.html',
    'heddle boundaries analyse --running --without gateway --today --json > plan.json',
    'heddle boundaries analyse traces.jsonl schema/ --git . --json',
    'heddle boundaries analyse traces.jsonl --today --json > plan.json',
    'heddle boundaries compare classes/ --reference services.rsf',
    'heddle boundaries drift --running --without gateway --plan plan.json     # exit code 1 if a boundary is broken',
  ],
};
