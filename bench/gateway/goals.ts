// What the gateway is held to, with every safety limit on: by measurement and peer, how many times better at least.

/** The peer's cost to ours; for latency the peer's to ours as well. */
export const ratioGoals: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  plain: { nginx: 0.8, 'best-node': 4 },
  'jwt-limit-metrics-log': { nginx: 0.5 },
  'routes-1000': { 'one-route': 0.95 },
  'p99-at-70': { nginx: 0.5 },
};
