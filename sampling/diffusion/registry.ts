/** Solvers and schedules by the names that requests and configs use, with their default options. */
import { cosine } from './schedules/cosine.ts';
import { flow } from './schedules/flow.ts';
import { gvp } from './schedules/gvp.ts';
import { karras } from './schedules/karras.ts';
import { linear } from './schedules/linear.ts';
import { vp } from './schedules/vp.ts';
import type { Schedule, Solver } from './solver.ts';
import { adamsBashforth } from './solvers/adams-bashforth.ts';
import { ddim } from './solvers/ddim.ts';
import { ddpm } from './solvers/ddpm.ts';
import { dpmpp2m } from './solvers/dpmpp-2m.ts';
import { euler } from './solvers/euler.ts';
import { heun } from './solvers/heun.ts';
import { rungeKutta } from './solvers/runge-kutta.ts';
import { sdeEuler } from './solvers/sde-euler.ts';
import { sdeHeun } from './solvers/sde-heun.ts';

/** All of these need a clean estimate only, on every schedule. */
export const SOLVERS = {
  ddpm: () => ddpm(),
  ddim: () => ddim(),
  euler: () => euler(),
  heun: () => heun(),
  'dpmpp-2m': () => dpmpp2m(),
  midpoint: () => rungeKutta('midpoint'),
  heun3: () => rungeKutta('heun3'),
  'adams-bashforth': () => adamsBashforth(),
  'sde-euler': () => sdeEuler(),
  'sde-heun': () => sdeHeun(),
} as const satisfies Record<string, () => Solver>;

export const SCHEDULES = {
  linear: () => linear(),
  cosine: () => cosine(),
  flow: () => flow(),
  gvp: () => gvp(),
  karras: () => karras(),
  vp: () => vp(),
} as const satisfies Record<string, () => Schedule>;

export type SolverName = keyof typeof SOLVERS;
export type ScheduleName = keyof typeof SCHEDULES;
