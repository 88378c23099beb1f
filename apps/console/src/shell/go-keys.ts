import { useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { pageGroups } from './pages.ts';

const all = pageGroups.flatMap(({ pages }) => pages);

/** `g` and a letter go to a page, `/` to the filter of this one; not while somebody writes. */
export function useGoKeys(): void {
  const router = useRouter();
  useEffect(() => {
    let before = '';
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
        return;
      const page = before === 'g' ? all.find(({ letter }) => letter === event.key) : undefined;
      if (page !== undefined) void router.navigate({ to: page.to });
      if (event.key === '/') {
        const filter = document.querySelector<HTMLElement>('[data-filter]');
        if (filter !== null) event.preventDefault();
        filter?.focus();
      }
      before = event.key;
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [router]);
}
