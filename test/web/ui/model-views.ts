/** Two models as the server shows them, for tests. */
import type { ModelView } from '../../../web/services.ts';

const shared = {
  licence: 'CC-BY-4.0',
  digest: 'a'.repeat(64),
  parameters: 5_000_000,
  data: 'avatars',
  trained: { width: 64, height: 64 },
  positions: { coordinates: 'raw' },
  numbers: {},
};

export const diffusionView: ModelView = {
  ...shared,
  id: 'avatars',
  title: 'Avatars, 64 px',
  architecture: 'dit',
  vocabulary: ['hair color=red', 'style=micah', 'style=lorelei'],
  size: { multiple: 8, largestSide: 256, fixed: false, trained: { width: 64, height: 64 } },
  sampling: {
    kind: 'diffusion',
    solver: 'euler',
    steps: 25,
    guidance: 2,
    shift: 1,
    solvers: ['euler', 'heun'],
    extensions: [
      { name: 'yarn', title: 'YaRN', options: [] },
      { name: 'ntk', title: 'NTK', options: [] },
    ],
  },
};

export const tokenView: ModelView = {
  ...shared,
  id: 'avatars-ar',
  title: 'Avatars from tokens, 64 px',
  architecture: 'ar',
  vocabulary: ['hair color=red', 'style=micah'],
  size: { multiple: 64, largestSide: 64, fixed: true, trained: { width: 64, height: 64 } },
  sampling: {
    kind: 'tokens',
    decoder: 'sequential',
    temperature: 1,
    guidance: 2,
    decoders: [
      { name: 'sequential', title: 'Sequential', exactness: 'identical', options: [] },
      { name: 'sjd', title: 'Speculative Jacobi', exactness: 'lossless', options: [] },
    ],
  },
};
