import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as ropewalk from '../index.ts';

test('the public names', () => {
  expect(Object.keys(ropewalk).sort()).toMatchInlineSnapshot(`
    [
      "CONV_PRESETS",
      "DIT_PRESETS",
      "ENGINES",
      "FIT_PRESETS",
      "POSITION_METHODS",
      "POSITION_PRESETS",
      "PROVIDERS",
      "SCHEDULES",
      "SOLVERS",
      "VERSION",
      "attention",
      "compileDiT",
      "composePositions",
      "contactSheet",
      "conv2d",
      "convTranspose2d",
      "createDiffusionPipeline",
      "createEngine",
      "createFactorLoss",
      "createRenderer",
      "createRng",
      "createTokenizer",
      "createUpdate",
      "decodePicture",
      "decodeTokens",
      "denoiseBy",
      "encodePictures",
      "encodePng",
      "exportRun",
      "exportTokenizer",
      "findModel",
      "forwardDiT",
      "forwardFiT",
      "gelu",
      "geluTanh",
      "groupNorm",
      "guide",
      "initDiT",
      "layerNorm",
      "linear",
      "listModels",
      "matchWords",
      "noise",
      "openAvatars",
      "openData",
      "openEmoji",
      "openFolder",
      "parseRecipe",
      "parseRequest",
      "parseTokenizerTraining",
      "parseTrainingConfig",
      "raster",
      "readCard",
      "readModel",
      "readRecipe",
      "readSafetensors",
      "readTokenCache",
      "readTokenizer",
      "readTokenizerCard",
      "render",
      "resize",
      "reuseWeights",
      "rmsNorm",
      "rope",
      "sample",
      "searchLongrope",
      "shapesOfDiT",
      "shapesOfFiT",
      "silu",
      "swiglu",
      "tf",
      "toPicture",
      "tokenizeData",
      "tokenizerParts",
      "train",
      "trainTokenizer",
      "withMethods",
      "writeModel",
      "writeSafetensors",
      "writeTokenCache",
      "writeTokenizer",
    ]
  `);
});

test('the version is that of package.json', () => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  expect(ropewalk.VERSION).toBe(JSON.parse(manifest).version);
});

test('the API page names every export', () => {
  const page = readFileSync(new URL('../docs/api.md', import.meta.url), 'utf8');
  expect(Object.keys(ropewalk).filter((name) => !page.includes(`\`${name}`))).toEqual([]);
});
