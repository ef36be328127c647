/** The pages: address, name, and how the code of each comes when it is first asked for. */
import type { ComponentType } from 'preact';
import type { IconName } from './components/icon.tsx';

export type PageEntry = {
  readonly path: string;
  readonly title: string;
  readonly icon: IconName;
  /** Not in the tab bar of a phone, but under More. */
  readonly far?: boolean;
  /** A gap before it in the header. */
  readonly bay?: boolean;
  /** Reached from other pages, not from the header. */
  readonly hidden?: boolean;
  readonly load: () => Promise<ComponentType>;
};

export const PAGES: readonly PageEntry[] = [
  {
    path: '/',
    title: 'Generate',
    icon: 'generate',
    load: () => import('./views/generate.tsx').then(({ Generate }) => Generate),
  },
  {
    path: '/gallery',
    title: 'Gallery',
    icon: 'gallery',
    load: () => import('./views/gallery.tsx').then(({ Gallery }) => Gallery),
  },
  {
    path: '/batches',
    title: 'Batches',
    icon: 'batch',
    load: () => import('./views/batches.tsx').then(({ Batches }) => Batches),
  },
  {
    path: '/queue',
    title: 'Queue',
    icon: 'queue',
    load: () => import('./views/queue.tsx').then(({ Queue }) => Queue),
  },
  {
    path: '/train',
    title: 'Train',
    icon: 'run',
    far: true,
    bay: true,
    load: () => import('./views/train.tsx').then(({ Train }) => Train),
  },
  {
    path: '/resolution',
    title: 'Resolution',
    icon: 'chart',
    far: true,
    load: () => import('./views/resolution.tsx').then(({ Resolution }) => Resolution),
  },
  {
    path: '/decoding',
    title: 'Decoding',
    icon: 'grid',
    far: true,
    load: () => import('./views/decoding.tsx').then(({ Decoding }) => Decoding),
  },
  {
    path: '/models',
    title: 'Models',
    icon: 'model',
    far: true,
    bay: true,
    load: () => import('./views/models.tsx').then(({ Models }) => Models),
  },
  {
    path: '/system',
    title: 'System',
    icon: 'system',
    far: true,
    load: () => import('./views/system.tsx').then(({ System }) => System),
  },
  {
    path: '/more',
    title: 'More',
    icon: 'more',
    hidden: true,
    load: () => import('./views/more.tsx').then(({ More }) => More),
  },
  {
    path: '/login',
    title: 'Token',
    icon: 'lock',
    hidden: true,
    load: () => import('./views/login.tsx').then(({ Login }) => Login),
  },
];

export const pageAt = (path: string): PageEntry | undefined =>
  PAGES.find((page) => page.path === path);
