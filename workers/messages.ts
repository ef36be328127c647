/** What the worker and its child say to each other. Runs are numbered by the worker, anew after every start of a child. */
import type { Job, Point, Progress } from '../jobs/job.ts';
import type { JobTask, KeptModel } from '../jobs/jobs.ts';
import type { DeviceOptions } from '../tensor/device.ts';

/** What a child needs before it can run anything. */
export type Setup = {
  readonly device: DeviceOptions;
  /** Where models are looked for, besides those that were trained here. */
  readonly models: readonly string[];
  /** Where runs, trained models, reports and drawn pictures are kept, and where data sets lie. */
  readonly data: string;
  /** Bytes that models may take together. */
  readonly memory?: number;
  /** Added to its priority as the system counts: 0 to 19, politest last. */
  readonly nice?: number;
};

export type ToChild =
  | { readonly type: 'setup'; readonly setup: Setup }
  | {
      readonly type: 'run';
      readonly run: number;
      readonly job: Job;
      readonly existing: readonly number[];
    }
  | { readonly type: 'stop'; readonly run: number; readonly reason: string }
  /** A picture is kept, or why it is not. */
  | {
      readonly type: 'kept';
      readonly run: number;
      readonly index: number;
      readonly problem?: string;
    };

export type About = Parameters<JobTask['picture']>[2];
export type FromChild = OfRun | OfModels;
/** A model was read; all that are in memory. */
export type OfModels =
  | { readonly type: 'load'; readonly model: string; readonly seconds: number }
  | { readonly type: 'models'; readonly models: readonly KeptModel[] };
export type OfRun =
  | { readonly type: 'progress'; readonly run: number; readonly progress: Progress }
  | {
      readonly type: 'preview';
      readonly run: number;
      readonly index: number;
      readonly png: Uint8Array;
    }
  | {
      readonly type: 'picture';
      readonly run: number;
      readonly index: number;
      readonly png: Uint8Array;
      readonly about: About;
    }
  | { readonly type: 'point'; readonly run: number; readonly point: Point }
  | { readonly type: 'done'; readonly run: number; readonly result: unknown }
  /** `hopeless`: trying again cannot help. */
  | {
      readonly type: 'failed';
      readonly run: number;
      readonly message: string;
      readonly hopeless: boolean;
    };
