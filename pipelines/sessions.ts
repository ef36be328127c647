/** The passes of one token network, compiled and kept for the latest number of rows. */
import type { Positions } from '../encoders/positions/compose.ts';
import type { Grid } from '../encoders/positions/grid.ts';
import type { ARConfig } from '../generators/ar-config.ts';
import { type ARSession, createARSession } from '../generators/ar-session.ts';
import { createCache } from '../generators/compile-ar.ts';
import type { Engine, HostTensors } from '../tensor/program.ts';

/** A network with its weights, as models and training runs have it. */
export type TokenNetwork = {
  readonly config: ARConfig;
  readonly positions: Positions;
  readonly grid: Grid;
  readonly weights: HostTensors;
};

export function createSessions(engine: Engine, network: TokenNetwork) {
  let kept: { readonly session: ARSession; readonly withHidden: boolean } | undefined;
  return {
    /** For this many rows; its answers have hidden states where they are asked for. */
    async of(batch: number, { withHidden = false } = {}): Promise<ARSession> {
      if (kept?.session.batch === batch && kept.withHidden === withHidden) return kept.session;
      await kept?.session.dispose();
      const shape = { ...network, batch };
      const cache = createCache(engine, shape);
      const session = createARSession(engine, { ...shape, cache, withHidden });
      kept = { session, withHidden };
      return session;
    },
    async dispose(): Promise<void> {
      await kept?.session.dispose();
      kept = undefined;
    },
  };
}
