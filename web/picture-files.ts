/** Pictures as the files of an archive. */
import type { StoredPicture } from '../jobs/job.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { ZipFile } from './zip.ts';

export type PictureFile = {
  readonly name: string;
  readonly picture: StoredPicture;
  /** What the manifest says of it besides. */
  readonly place?: object;
};

/** The files one after the other, then `manifest.json`: what `about` says, and what each of them shows. */
export async function* filesOf(
  pictures: AsyncIterable<PictureFile>,
  { jobs, about, at }: { readonly jobs: Jobs; readonly about: object; readonly at: number },
): AsyncGenerator<ZipFile> {
  const lines: string[] = [];
  for await (const { name, picture, place } of pictures) {
    const data = await jobs.pictures.read(picture.id);
    if (!data) continue; // deleted meanwhile
    const { model, prompt, seed, width, height, recipe } = picture;
    lines.push(
      JSON.stringify({ file: name, ...place, model, prompt, seed, width, height, recipe }),
    );
    yield { name, data, at: picture.createdAt };
  }
  const text = `${JSON.stringify(about).slice(0, -1)},"pictures":[\n${lines.join(',\n')}\n]}\n`;
  yield { name: 'manifest.json', data: Buffer.from(text), at };
}
