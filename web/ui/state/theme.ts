/** Light, dark, or as the system has it; public/theme.js reads the choice before the first paint. */
import { effect } from '@preact/signals';
import { stored } from './storage.ts';

export const theme = stored<'light' | 'dark' | ''>('theme', '', (value) =>
  value === 'light' || value === 'dark' ? value : '',
);

export const isDark = (): boolean =>
  theme.value === '' ? matchMedia('(prefers-color-scheme: dark)').matches : theme.value === 'dark';

export function toggleTheme(): void {
  theme.value = isDark() ? 'light' : 'dark';
}

effect(() => {
  if (theme.value === '') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
