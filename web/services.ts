/** What the server is given by the command that starts it: everything that needs a network or a model. */
import type { Job } from '../jobs/job.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { ImageRequest } from '../request.ts';

/** A model as the page needs it: its card, and what may be asked of it. Forms and grid axes are made from this. */
export type ModelView = {
  readonly id: string;
  readonly title: string;
  readonly architecture: string;
  readonly licence: string;
  readonly digest: string;
  readonly parameters: number;
  readonly data: string;
  /** Words like `hair color=red`; `style=...` names a style. */
  readonly vocabulary: readonly string[];
  /** Which words can be said of a style. */
  readonly styles?: Readonly<Record<string, readonly string[]>>;
  readonly trained: { readonly width: number; readonly height: number };
  readonly training?: { readonly pictures: number; readonly hours?: number };
  readonly size: {
    /** Sides are whole multiples of this. */
    readonly multiple: number;
    readonly largestSide: number;
    /** The largest sides of its training, which may have had several sizes. */
    readonly trained: { readonly width: number; readonly height: number };
    /** Only the trained size. */
    readonly fixed: boolean;
  };
  readonly sampling:
    | {
        readonly kind: 'diffusion';
        readonly solver: string;
        readonly steps: number;
        readonly guidance: number;
        /** Of the times of sampling. */
        readonly shift: number;
        readonly solvers: readonly string[];
        readonly extensions: readonly Choice[];
      }
    | {
        readonly kind: 'tokens';
        readonly decoder: string;
        readonly temperature: number;
        readonly topK?: number;
        readonly topP?: number;
        readonly guidance: number;
        readonly decoders: readonly (Choice & {
          readonly exactness: 'identical' | 'lossless' | 'approximate';
        })[];
      };
  readonly positions: Readonly<Record<string, unknown>>;
  readonly numbers: Readonly<Record<string, number | string>>;
};
/** A method by name with its options, as a form shows it. */
export type Choice = {
  readonly name: string;
  readonly title: string;
  readonly options: readonly {
    readonly name: string;
    readonly kind: 'number' | 'integer' | 'boolean' | 'text';
    readonly default?: number | boolean | string;
    readonly minimum?: number;
    readonly maximum?: number;
    /** Of a text: what it may be. */
    readonly choices?: readonly string[];
    readonly description?: string;
  }[];
};

export type Services = {
  readonly jobs: Jobs;
  readonly models: {
    list(): Promise<readonly ModelView[]>;
    /** Models that were found but cannot be read, a sentence each. */
    broken(): Promise<readonly string[]>;
    /** Throws one sentence where the model's card does not allow the request. */
    check(request: ImageRequest): Promise<void>;
  };
  /** Checks the configuration of a training or an evaluation, without starting it. */
  readonly checkConfig: (input: Job['input']) => Promise<void>;
  /** Configurations of trainings that ship, to begin a form with. */
  readonly configs: () => Promise<readonly { readonly name: string; readonly config: unknown }[]>;
  /** Reports that `evaluate resolution` and `evaluate decoding` left in the reports' folders. */
  readonly reports: {
    list(): Promise<readonly ReportView[]>;
    read(id: string): Promise<unknown>;
    file(id: string, name: string): Promise<Buffer | undefined>;
  };
  /** What this machine is: engine, provider, cores, versions; shown on the page System. */
  readonly system: () => Promise<Readonly<Record<string, string | number>>>;
};
export type ReportView = {
  readonly id: string;
  readonly kind: 'resolution' | 'decoding';
  readonly title: string;
  readonly createdAt: number;
};
