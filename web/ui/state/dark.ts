/** Whether the page is dark at this moment, by choice or by the system: what is drawn on a canvas has to know. */
import { computed, signal } from '@preact/signals';
import { theme } from './theme.ts';

const query = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(query.matches);
query.addEventListener('change', () => {
  systemIsDark.value = query.matches;
});

export const dark = computed(() =>
  theme.value === '' ? systemIsDark.value : theme.value === 'dark',
);
