/** Every position method by hook and name. A new method is one file and one line here. */
import type {
  BiasMethod,
  CoordinatesMethod,
  EmbedMethod,
  ExtendMethod,
  Method,
  RotateMethod,
  ScoreMethod,
} from './contract.ts';
import { raw } from './coordinates/raw.ts';
import { sincos2d } from './embed/sincos2d.ts';
import { axial } from './rotate/axial.ts';

export type Registry = {
  readonly coordinates: readonly CoordinatesMethod[];
  readonly embed: readonly EmbedMethod[];
  readonly rotate: readonly RotateMethod[];
  readonly bias: readonly BiasMethod[];
  readonly score: readonly ScoreMethod[];
  readonly extend: readonly ExtendMethod[];
};

export const POSITION_METHODS: Registry = {
  coordinates: [raw],
  embed: [sincos2d],
  rotate: [axial],
  bias: [],
  score: [],
  extend: [],
};

/** A registry with further methods, for one's own research. */
export function withMethods(registry: Registry, ...methods: readonly Method[]): Registry {
  const joined = { ...registry } as Record<Method['hook'], readonly Method[]>;
  for (const method of methods) joined[method.hook] = [...joined[method.hook], method];
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
