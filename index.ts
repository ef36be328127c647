/** The library. Groups in the order in which things are built on each other; docs/api.md describes them. */

// Positions: methods by hook, and how they are joined.
export {
  type Choice,
  composePositions,
  type PositionConfig,
  type Positions,
} from './encoders/positions/compose.ts';
export type {
  BiasMethod,
  CoordinatesMethod,
  EmbedMethod,
  ExtendMethod,
  Frequencies,
  Method,
  RotateMethod,
  ScoreMethod,
  Where,
} from './encoders/positions/contract.ts';
export { type Grid, raster } from './encoders/positions/grid.ts';
export { POSITION_PRESETS } from './encoders/positions/presets.ts';
export { POSITION_METHODS, type Registry, withMethods } from './encoders/positions/registry.ts';
// Tokenizers: pictures as grids of whole numbers.
export type {
  Quantiser,
  Tokenizer,
  TokenizerNetwork,
} from './encoders/tokenizers/contract.ts';
export { CONV_PRESETS } from './encoders/tokenizers/conv.ts';
export {
  createTokenizer,
  decodeTokens,
  encodePictures,
  type TokenizerConfig,
  tokenizerParts,
} from './encoders/tokenizers/tokenizer.ts';
// Generators and models on disk.
export { AR_PRESETS, type ARConfig } from './generators/ar-config.ts';
export { type ARSession, createARSession } from './generators/ar-session.ts';
export { compileDiT } from './generators/compile.ts';
export { cacheBytes, createCache } from './generators/compile-ar.ts';
export { compileFiT } from './generators/compile-fit.ts';
export { forwardDiT } from './generators/dit.ts';
export { DIT_PRESETS, type DiTConfig } from './generators/dit-config.ts';
export { initDiT, shapesOfDiT } from './generators/dit-weights.ts';
export { forwardFiT } from './generators/fit.ts';
export { FIT_PRESETS, type FiTConfig } from './generators/fit-config.ts';
export { initFiT, shapesOfFiT } from './generators/fit-weights.ts';
export {
  type Model,
  type ModelCard,
  readCard,
  readModel,
  writeModel,
} from './generators/model.ts';
export { type DrafterFiles, drafterFiles } from './generators/token-drafters.ts';
export {
  type AnyCard,
  readAnyCard,
  readTokenGenerator,
  type TokenCard,
  type TokenGenerator,
  writeTokenModel,
} from './generators/token-model.ts';
export {
  readTokenizer,
  readTokenizerCard,
  type TokenizerCard,
  type TokenizerModel,
  writeTokenizer,
} from './generators/tokenizer-card.ts';
// Pipelines: from words and requests to pictures.
export {
  createDiffusionPipeline,
  type DiffusionPipeline,
  type DrawOptions,
  type RenderOptions,
} from './pipelines/diffusion.ts';
export {
  type AnyEntry,
  findModel,
  listModels,
  type ModelEntry,
  type ModelList,
} from './pipelines/models.ts';
export { createRenderer, type Rendered, type Renderer, render } from './pipelines/render.ts';
export { createTokenPipeline, type OpenOptions, type TokenPipeline } from './pipelines/tokens.ts';
export {
  contactSheet,
  decodePicture,
  encodePng,
  type Picture,
  readRecipe,
  toPicture,
} from './png.ts';
export { matchWords } from './prompt.ts';
export { type ImageRequest, parseRecipe, parseRequest, type Recipe } from './request.ts';
// Sampling: solvers and schedules over functions.
export {
  type Denoise,
  type Sampled,
  type SampleOptions,
  sample,
} from './sampling/diffusion/driver.ts';
export { type Guidance, guide } from './sampling/diffusion/guidance.ts';
export { denoiseBy, type Network } from './sampling/diffusion/network.ts';
export {
  SCHEDULES,
  type ScheduleName,
  SOLVERS,
  type SolverName,
} from './sampling/diffusion/registry.ts';
export type { Answer, Query, Schedule, Solver } from './sampling/diffusion/solver.ts';
export { noise } from './sampling/noise.ts';
// Decoders: tokens of a model that gives the law of the next one.
export { arithmetic, encode, type Interval } from './sampling/tokens/arithmetic.ts';
export { type CardsOptions, cards } from './sampling/tokens/cards.ts';
export {
  type ConstrainedOptions,
  type Constraint,
  constrained,
} from './sampling/tokens/constrained.ts';
export type { Draft, Logits, TokenModel } from './sampling/tokens/contract.ts';
export type {
  ArmRounds,
  DecodeOptions,
  Decoder,
  Decoding,
  RowPass,
} from './sampling/tokens/decoder.ts';
export type { Drafter } from './sampling/tokens/drafters/drafter.ts';
export { networkDrafter } from './sampling/tokens/drafters/network.ts';
export type { Filters } from './sampling/tokens/filters.ts';
export {
  type GuidanceOptions,
  scaleBetween,
  scaleSchedule,
} from './sampling/tokens/guidance-scales.ts';
export { type GuidanceScale, guided } from './sampling/tokens/guided.ts';
export { instructive } from './sampling/tokens/instructive.ts';
export { type LanternOptions, lantern } from './sampling/tokens/lantern.ts';
export { type Chooser, exp3, ucb } from './sampling/tokens/lengths.ts';
export { banditPlan } from './sampling/tokens/plans.ts';
export {
  createDecoder,
  createDrafter,
  DECODERS,
  type DecoderContext,
} from './sampling/tokens/registry.ts';
export { type Arm, fixedPlan, type Plan, speculative } from './sampling/tokens/speculative.ts';
export { exact, type Rule } from './sampling/tokens/verify.ts';
// Engine: model functions in TensorFlow.js ops, compiled for one set of shapes.
export { createEngine, type EngineOptions } from './tensor/engine.ts';
// Ops: fused primitives.
export { attention } from './tensor/ops/attention.ts';
export { conv2d, convTranspose2d } from './tensor/ops/conv.ts';
export { gelu, geluTanh, silu, swiglu } from './tensor/ops/gelu.ts';
export { groupNorm } from './tensor/ops/group-norm.ts';
export { linear } from './tensor/ops/linear.ts';
export { layerNorm, rmsNorm } from './tensor/ops/norm.ts';
export { resize } from './tensor/ops/resize.ts';
export { rope } from './tensor/ops/rope.ts';
export {
  type CompileOptions,
  ENGINES,
  type Engine,
  type EngineName,
  type HostTensor,
  type HostTensors,
  PROVIDERS,
  type Program,
  type ProgramFunction,
  type Provider,
  type RunOptions,
  type Signature,
  type Spec,
  type State,
  type StateSpec,
} from './tensor/program.ts';
// Randomness and files.
export { createRng, type Rng } from './tensor/rng.ts';
export { readSafetensors, writeSafetensors } from './tensor/safetensors.ts';
export { type Tensor, type Tensors, tf } from './tensor/tf.ts';
// Training: data sets, runs, models out of runs.
export { parseTrainingConfig, type TrainingConfig } from './training/config.ts';
export { openAvatars } from './training/data/avatars.ts';
export type { Dataset } from './training/data/dataset.ts';
export { openEmoji } from './training/data/emoji.ts';
export { openFolder } from './training/data/folder.ts';
export { openData } from './training/data/open.ts';
export { readTokenCache, type TokenCache, writeTokenCache } from './training/data/token-cache.ts';
export { tokenizeData } from './training/data/tokenize.ts';
export { exportRun } from './training/export.ts';
export { reuseWeights } from './training/init.ts';
export { createFactorLoss } from './training/longrope-loss.ts';
export { type Factors, searchLongrope } from './training/longrope-search.ts';
export type { StepProgress } from './training/loop.ts';
export { type PackedTraining, parsePackedTraining } from './training/packed-config.ts';
export { trainPacked } from './training/packed-run.ts';
export { type TrainOptions, train } from './training/run.ts';
export { parseTokenTraining, type TokenTraining } from './training/token-config.ts';
export { exportTokenModel } from './training/token-export.ts';
export { type TrainTokensOptions, trainTokens } from './training/token-run.ts';
export { parseTokenizerTraining, type TokenizerTraining } from './training/tokenizer-config.ts';
export { exportTokenizer } from './training/tokenizer-export.ts';
export {
  type TokenizerProgress,
  type TrainTokenizerOptions,
  trainTokenizer,
} from './training/tokenizer-run.ts';
export { createUpdate, type Update } from './training/update.ts';
export { VERSION } from './version.ts';
