/** Coordinates of one's own at a larger size: `npx tsx examples/custom-position-method.ts [MODEL_FOLDER] [OUT.png]`. */
import { writeFile } from 'node:fs/promises';
import {
  type CoordinatesMethod,
  contactSheet,
  createDiffusionPipeline,
  createEngine,
  encodePng,
  POSITION_METHODS,
  readModel,
  withMethods,
} from '../index.ts'; // in a project of your own: 'ropewalk'

/** Squeezes a larger grid into the coordinates of the trained one. */
const squeezed: CoordinatesMethod = {
  name: 'squeezed',
  hook: 'coordinates',
  reducesTo: 'raw coordinates at the trained size',
  coordinates({ grid, trained }) {
    if (grid.kind !== 'raster' || trained.kind !== 'raster') throw new RangeError('not a raster');
    const { height, width } = grid;
    const [dy, dx] = [trained.height / height, trained.width / width];
    const points = Array.from({ length: height * width }, (_, i) => i);
    return Float64Array.from(points.flatMap((i) => [Math.floor(i / width) * dy, (i % width) * dx]));
  },
};

const [folder = 'models/avatars-64', out = 'positions.png'] = process.argv.slice(2);
const { card, weights } = await readModel(folder);
const changed = { ...card, positions: { ...card.positions, coordinates: 'squeezed' } };
const pipeline = createDiffusionPipeline({
  engine: createEngine(),
  model: { card: changed, weights, registry: withMethods(POSITION_METHODS, squeezed) },
});
const size = { height: 2 * card.trained.height, width: 2 * card.trained.width };
const pictures = await pipeline.render({ words: [{ id: 0 }], seed: 7, count: 2, size });
await pipeline.dispose();
await writeFile(out, await encodePng(await contactSheet(pictures, { columns: 2 })));
console.log(`twice the trained size: ${out}`);
