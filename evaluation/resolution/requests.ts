/** A cell's pictures as requests, which any process that knows the model draws as they are drawn here, bit for bit. */
import type { Choice, PositionChange, PositionConfig } from '../../encoders/positions/choose.ts';
import { type ImageRequest, parseRequest } from '../../request.ts';
import type { Drawing } from './cell-files.ts';
import type { Cell } from './plan.ts';
import type { RenderCell } from './run.ts';

/** One request a picture. */
export function requestsOf(
  { cell, conditions, seeds, steps }: Parameters<RenderCell>[0],
  drawing: Drawing,
): ImageRequest[] {
  const { model, size } = cell;
  const { solver, guidance, shift, micro } = drawing;
  return conditions.map((words, i) =>
    parseRequest(
      {
        ...{ version: 1, model: model.id, size, seed: seeds[i], count: 1 },
        condition: words.map((id) => model.vocabulary[id]),
        position: { ...changeOf(cell), ...(micro === undefined ? {} : { micro }) },
        sampling: {
          ...{ kind: 'diffusion', solver, steps: steps ?? drawing.steps },
          ...{ guidance: { scale: guidance }, scheduleOptions: { shift } },
        },
      },
      'resolution',
    ),
  );
}

/** What a cell changes of its model's positions. */
function changeOf({ model, positions }: Pick<Cell, 'model' | 'positions'>): PositionChange {
  const { extend = [], coordinates } = positions as PositionConfig;
  if (JSON.stringify(coordinates) === JSON.stringify(model.positions.coordinates))
    return { extend };
  const { method: _, ...options } = coordinates as Exclude<Choice, string>;
  return { extend, coordinates: options };
}
