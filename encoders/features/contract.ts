/** Networks that judge pictures: what a distance between two sets of pictures is measured on. */

/** Rows of RGB, height * width * 3 bytes. */
export type Pixels = {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
};

/** The first channels of a layer in their places, [N, height, width, channels]. */
export type Maps = {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
};
export type Features = {
  /** Means over the places of a layer, [N, width of the network]. */
  readonly pooled: Float32Array;
  /** Absent where the network keeps no places. */
  readonly maps?: Maps;
};

export type FeatureNetwork = {
  /** What its distances are called after: a Frechet distance on it is FD-<name>. */
  readonly name: string;
  /** Sides that it sees every picture at. */
  readonly sees: { readonly height: number; readonly width: number };
  /** How pictures are brought to that size. */
  readonly kernel: string;
  readonly dtype: 'float32';
  /** Numbers of a pooled row. */
  readonly width: number;
  read(pictures: readonly Pixels[], signal?: AbortSignal): Promise<Features>;
  dispose(): Promise<void>;
};

/** Channels that keep their places: as many as sFID has (Nash et al. 2021, section 4.1). */
export const KEPT_CHANNELS = 7;
/** Pictures of one call: enough to keep two cores busy, few enough for a small machine. */
export const BATCH = 8;
