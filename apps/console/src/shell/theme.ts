import { createTheme, type MantineColorsTuple } from '@mantine/core';

// The blue of the mark. Its sixth shade carries white text at 5:1, its fourth stands on the dark ground.
const thread: MantineColorsTuple = [
  '#eaf2ff',
  '#d2e2fd',
  '#a5c4f8',
  '#76a5f3',
  '#4f8aee',
  '#3878ea',
  '#2566d6',
  '#1b57bd',
  '#134aa6',
  '#073c8d',
];

/** One design language for every page. */
export const theme = createTheme({
  primaryColor: 'thread',
  primaryShade: { light: 6, dark: 6 },
  colors: { thread },
  defaultRadius: 'sm',
  fontFamily: 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans SC", "PingFang SC", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '650', sizes: { h1: { fontSize: '1.375rem' }, h2: { fontSize: '1.05rem' } } },
  respectReducedMotion: true,
});
