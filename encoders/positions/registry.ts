/** Every position method by hook and name. A new method is one file, one line here and a row in docs/positions.md. */

import { alibi } from './bias/alibi.ts';
import { causal } from './bias/causal.ts';
import { fire } from './bias/fire.ts';
import { ggdBam } from './bias/ggd-bam.ts';
import { grapeA } from './bias/grape-a.ts';
import { headScale } from './bias/head-scale.ts';
import type {
  BiasMethod,
  CoordinatesMethod,
  EmbedMethod,
  ExtendMethod,
  Method,
  RotateMethod,
  ScoreMethod,
} from './contract.ts';
import { cellCentre } from './coordinates/cell-centre.ts';
import { centred } from './coordinates/centred.ts';
import { coupled } from './coordinates/coupled.ts';
import { endPoint } from './coordinates/end-point.ts';
import { jittered } from './coordinates/jittered.ts';
import { leftAligned } from './coordinates/left-aligned.ts';
import { nit } from './coordinates/nit.ts';
import { pose } from './coordinates/pose.ts';
import { raw } from './coordinates/raw.ts';
import { rpe2d } from './coordinates/rpe2d.ts';
import { shifted } from './coordinates/shifted.ts';
import { tiles } from './coordinates/tiles.ts';
import { v2pe } from './coordinates/v2pe.ts';
import { countdown } from './embed/countdown.ts';
import { learned } from './embed/learned.ts';
import { learnedAt } from './embed/learned-at.ts';
import { lff } from './embed/lff.ts';
import { locality } from './embed/locality.ts';
import { msPe } from './embed/ms-pe.ts';
import { peg } from './embed/peg.ts';
import { pia } from './embed/pia.ts';
import { sincos2d } from './embed/sincos2d.ts';
import { withinTile } from './embed/within-tile.ts';
import { attentionScale } from './extend/attention-scale.ts';
import { dypeNtk, dypePi, dypeYarn } from './extend/dype.ts';
import { interpolation } from './extend/interpolation.ts';
import { lmInfinite } from './extend/lm-infinite.ts';
import { longrope } from './extend/longrope.ts';
import { ntk, visionNtk } from './extend/ntk.ts';
import { ntkByParts } from './extend/ntk-by-parts.ts';
import { riflex } from './extend/riflex.ts';
import { stringRope } from './extend/string.ts';
import { timeAware } from './extend/time-aware.ts';
import { timeShift } from './extend/time-shift.ts';
import { ultraflux } from './extend/ultraflux.ts';
import { visionYarn, yarn } from './extend/yarn.ts';
import { axial } from './rotate/axial.ts';
import { comrope } from './rotate/comrope.ts';
import { grape } from './rotate/grape.ts';
import { gta } from './rotate/gta.ts';
import { hopeHybrid } from './rotate/hope-hybrid.ts';
import { mhrope } from './rotate/mhrope.ts';
import { mropeI } from './rotate/mrope-i.ts';
import { pRope } from './rotate/p-rope.ts';
import { ropePp } from './rotate/rope-pp.ts';
import { tpe2d } from './rotate/tpe-2d.ts';
import { vrope } from './rotate/vrope.ts';

export type Registry = {
  readonly coordinates: readonly CoordinatesMethod[];
  readonly embed: readonly EmbedMethod[];
  readonly rotate: readonly RotateMethod[];
  readonly bias: readonly BiasMethod[];
  readonly score: readonly ScoreMethod[];
  readonly extend: readonly ExtendMethod[];
};

export const POSITION_METHODS: Registry = {
  coordinates: [
    ...[raw, centred, cellCentre, endPoint, leftAligned, coupled, tiles, nit],
    ...[rpe2d, pose, v2pe, shifted, jittered],
  ],
  embed: [
    ...[sincos2d, learned, learnedAt, lff, msPe, peg],
    ...[withinTile, countdown, locality, pia],
  ],
  rotate: [
    ...[axial, pRope, ropePp, mropeI, mhrope, vrope, tpe2d],
    ...[gta, hopeHybrid, grape, comrope],
  ],
  bias: [alibi, grapeA, ggdBam, fire, causal, headScale],
  score: [],
  extend: [
    ...[interpolation, ntk, visionNtk, ntkByParts, yarn, visionYarn, timeAware, riflex],
    ...[ultraflux, longrope, dypePi, dypeNtk, dypeYarn],
    ...[stringRope, lmInfinite, attentionScale, timeShift],
  ],
};

/** A registry with further methods, for one's own research. */
export function withMethods(registry: Registry, ...methods: readonly Method[]): Registry {
  const joined = { ...registry } as Record<Method['hook'], readonly Method[]>;
  for (const method of methods) {
    const { hook, name } = method;
    if (joined[hook].some((other) => other.name === name)) {
      throw new RangeError(
        `positions.${hook}: expected a new name, got '${name}', which a method has already; choose another`,
      );
    }
    joined[hook] = [...joined[hook], method];
  }
  return joined as unknown as Registry;
}

/** The method of a hook by name; throws naming those that exist. */
export function findMethod<Hook extends keyof Registry>(
  registry: Registry,
  hook: Hook,
  name: string,
): Registry[Hook][number] {
  const found = registry[hook].find((method) => method.name === name);
  if (found) return found;
  const names = registry[hook].map((method) => `'${method.name}'`).join(', ');
  throw new RangeError(`positions.${hook}: expected one of ${names || '(none)'}, got '${name}'`);
}
