import type { CommandUsage } from '../command.ts';

/** How `heddle rollout` is called. */
export const rolloutUsage: CommandUsage = {
  name: 'rollout',
  summary: 'Move traffic to a new version by steps, judge each by its metrics, and take it back on a breach',
  words: '<file> <virtual service>',
  options: {
    from: { type: 'string', value: 'SUBSET', help: 'The version that has the traffic' },
    to: { type: 'string', value: 'SUBSET', help: 'The version that is to get it' },
    namespace: { type: 'string', value: 'NAME', help: 'Of the VirtualService, where several have its name' },
    steps: { type: 'string', value: 'N,…', help: 'Percentages, growing; default 5,20,50,100' },
    every: { type: 'string', value: 'SECONDS', help: 'How long a step must hold; default 60' },
    look: { type: 'string', value: 'SECONDS', help: 'Between two looks at the metrics; default 10' },
    'max-errors': { type: 'string', value: 'PERCENT', help: 'Of failed calls; default 1' },
    'max-latency': {
      type: 'string',
      value: 'MS',
      help: 'The 99th percentile; without it latency is not judged',
    },
    'min-calls': { type: 'string', value: 'N', help: 'Fewer in a look say nothing; default 20' },
    prometheus: { type: 'string', value: 'URL', help: 'Whose metrics judge: http://host:port' },
    'calls-query': {
      type: 'string',
      value: 'PROMQL',
      help: 'Calls in {window} of {service}, {version}; default: Istio’s metrics',
    },
    'errors-query': { type: 'string', value: 'PROMQL', help: 'Failed calls, likewise' },
    'latency-query': { type: 'string', value: 'PROMQL', help: 'Latency in ms, likewise' },
  },
  examples: [
    'heddle rollout deploy/reviews.yaml reviews --from v1 --to v2 --prometheus http://127.0.0.1:9090',
    'heddle rollout mesh.yaml web --from v1 --to v2 --steps 1,10,100 --max-latency 250 --prometheus http://127.0.0.1:9090',
  ],
};
