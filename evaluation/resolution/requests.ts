/** A cell's pictures as requests, which any process that knows the model draws as they are drawn here, bit for bit. */
import { type ImageRequest, parseRequest } from '../../request.ts';
import type { Drawing } from './cell-files.ts';
import type { Cell } from './plan.ts';
import type { RenderCell } from './run.ts';

/** One request a picture. Throws where requests cannot say what a cell is drawn with. */
export function requestsOf(
  { cell, conditions, seeds, steps }: Parameters<RenderCell>[0],
  drawing: Drawing,
): ImageRequest[] {
  const { model, positions, size } = cell;
  checkCoordinates(cell);
  const { solver, guidance, shift, micro } = drawing;
  return conditions.map((words, i) =>
    parseRequest(
      {
        ...{ version: 1, model: model.id, size, seed: seeds[i], count: 1 },
        condition: words.map((id) => model.vocabulary[id]),
        position: { extend: positions.extend ?? [], ...(micro === undefined ? {} : { micro }) },
        sampling: {
          ...{ kind: 'diffusion', solver, steps: steps ?? drawing.steps },
          ...{ guidance: { scale: guidance }, scheduleOptions: { shift } },
        },
      },
      'resolution',
    ),
  );
}

/** Throws where a cell changes options of a model's own coordinates. */
export function checkCoordinates({
  model,
  positions,
  drawnBy,
}: Pick<Cell, 'model' | 'positions' | 'drawnBy'>): void {
  const [own, changed] = [model.positions, positions].map(({ coordinates }) => coordinates);
  if (JSON.stringify(own) === JSON.stringify(changed)) return;
  throw new RangeError(
    `resolution: expected methods that requests can say, extensions, got '${drawnBy}', which changes coordinates; draw it without a queue`,
  );
}
