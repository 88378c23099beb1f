/** A page as the navigation names it. */
export interface PageLink {
  readonly to: string;
  /** English; the key of its translation. */
  readonly title: string;
  readonly role?: 'operator' | 'admin';
  /** `g` and then this letter goes there. */
  readonly letter: string;
}

/** All pages, in groups. */
export const pageGroups: readonly { readonly title: string; readonly pages: readonly PageLink[] }[] = [
  {
    title: 'Observe',
    pages: [
      { to: '/', title: 'Overview', letter: 'o' },
      { to: '/services', title: 'Services', letter: 's' },
      { to: '/topology', title: 'Topology', letter: 't' },
      { to: '/traces', title: 'Traces', letter: 'r' },
      { to: '/decisions', title: 'Decisions', letter: 'd' },
      { to: '/logs', title: 'Logs', letter: 'l' },
      { to: '/metrics-explorer', title: 'Metrics', letter: 'm' },
      { to: '/alerts', title: 'Alerts', letter: 'a' },
    ],
  },
  {
    title: 'Operate',
    pages: [
      { to: '/gateway', title: 'Gateway', letter: 'g' },
      { to: '/mesh', title: 'Traffic rules', letter: 'w' },
      { to: '/rollouts', title: 'Rollouts', letter: 'p' },
      { to: '/apis', title: 'APIs', letter: 'i' },
      { to: '/config', title: 'Configuration', letter: 'c' },
      { to: '/messages', title: 'Messages', letter: 'e' },
      { to: '/transactions', title: 'Transactions', letter: 'x' },
      { to: '/boundaries', title: 'Boundaries', letter: 'b' },
    ],
  },
  {
    title: 'Administration',
    pages: [
      { to: '/certificates', title: 'Certificates', letter: 'f' },
      { to: '/users', title: 'Users', role: 'admin', letter: 'u' },
      { to: '/audit', title: 'Audit log', role: 'admin', letter: 'h' },
    ],
  },
];
