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
    ],
  },
  {
    title: 'Administration',
    pages: [
      { to: '/users', title: 'Users', role: 'admin', letter: 'u' },
      { to: '/audit', title: 'Audit log', role: 'admin', letter: 'h' },
    ],
  },
];
